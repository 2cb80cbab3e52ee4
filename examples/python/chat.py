#!/usr/bin/env python3
"""A chat: each line of stdin goes to the peer, what comes in is printed."""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
from typing import TYPE_CHECKING, Any

import im_client
from im_client import Client, Code, Event, ImError, MessageType

if TYPE_CHECKING:
    from concurrent.futures import Future

KICKED_OUT = 3

# What the main thread waits for: a line, or one of these.
END, CONFIRMED, KICK = object(), object(), object()


def say(text: str) -> None:
    """One line; control characters in other people's text must not reach the terminal."""
    print("".join(letter if letter.isprintable() else " " for letter in text), flush=True)


def subscribe(client: Client, happened: queue.SimpleQueue[object]) -> None:
    @client.on(im_client.EVENT_CONNECT)
    def connected(event: Event) -> None:
        say(f"* connected by {event.data['transport']}")

    @client.on(im_client.EVENT_DISCONNECT)
    def disconnected(event: Event) -> None:
        say(f"* disconnected: {event.data['reason']}")
        if event.data.get("code") == Code.OTHER_DEVICE:
            happened.put(KICK)

    @client.on(im_client.CHAT_MESSAGE)
    def message(event: Event) -> None:
        say(f"{event.payload['from']}: {event.payload['content']}")

    @client.on(im_client.CHAT_PULL_OFFLINE_MESSAGE)
    def messages(event: Event) -> None:
        for each in event.payload or []:
            say(f"{each['from']}: {each['content']}")

    @client.on(im_client.CHAT_ONLINE)
    def online(event: Event) -> None:
        say(f"* {event.payload['current']} is {event.payload['type']}")

    @client.on(im_client.IMERROR)
    def refused(event: Event) -> None:
        names = {int(code): f"IM_CODE_{code.name}" for code in Code}
        name = names.get(event.code or 0, "im_error")
        say(f"! {name} ({event.code}, {event.data['meta'].get('msg')})")


def read_lines(happened: queue.SimpleQueue[object]) -> None:
    """On a thread of its own, and a file of its own: sys.stdin would be locked when the interpreter ends."""
    with open(0, encoding="utf-8", errors="replace", closefd=False) as lines:
        for line in lines:
            happened.put(line.rstrip("\n"))
    happened.put(END)


def chat(client: Client, user: str, peer: str, happened: queue.SimpleQueue[object]) -> int:
    def told(confirmation: Future[Any]) -> None:
        try:
            say(f"✓ stored {confirmation.result()['sequenceId']}")
        except ImError as error:
            say(f"! not confirmed: {error}")
        happened.put(CONFIRMED)

    unconfirmed, ended = 0, False
    while unconfirmed or not ended:
        what = happened.get()
        if what is KICK:
            return KICKED_OUT
        if what is END:
            ended = True
        elif what is CONFIRMED:
            unconfirmed -= 1
        else:
            text = {"type": MessageType.TEXT, "from": user, "to": peer, "content": str(what)}
            client.submit_message(text).add_done_callback(told)
            unconfirmed += 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.environ.get("IM_ROOT", "http://127.0.0.1:7001"), metavar="URL")
    parser.add_argument("--user", default="111", metavar="ID")
    parser.add_argument("--token", default="t", metavar="T")
    parser.add_argument("--peer", default="echo", metavar="ID")
    given = parser.parse_args()

    happened: queue.SimpleQueue[object] = queue.SimpleQueue()
    with Client(given.root, "chat", query={"token": given.token, "userId": given.user}) as client:
        subscribe(client, happened)
        threading.Thread(target=read_lines, args=(happened,), daemon=True).start()
        return chat(client, given.user, given.peer, happened)


if __name__ == "__main__":
    sys.exit(main())
