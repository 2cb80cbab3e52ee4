#!/usr/bin/env python3
"""A chat: each line of stdin goes to the peer, what comes in is printed."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from im_client import (
    CHAT_MESSAGE,
    CHAT_ONLINE,
    CHAT_PULL_OFFLINE_MESSAGE,
    EVENT_CONNECT,
    EVENT_DISCONNECT,
    IMERROR,
    Client,
    Code,
    Event,
    ImError,
    MessageType,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

KICKED_OUT = 3


def subscribe(client: Client, kicked_out: threading.Event) -> None:
    @client.on(EVENT_CONNECT)
    def connected(event: Event) -> None:
        print(f"* connected by {event.data['transport']}")

    @client.on(EVENT_DISCONNECT)
    def disconnected(event: Event) -> None:
        print(f"* disconnected: {event.data['reason']}")
        if event.data.get("code") == Code.OTHER_DEVICE:
            kicked_out.set()

    @client.on(CHAT_MESSAGE)
    def message(event: Event) -> None:
        print(f"{event.payload['from']}: {event.payload['content']}")

    @client.on(CHAT_PULL_OFFLINE_MESSAGE)
    def messages(event: Event) -> None:
        for each in event.payload or []:
            print(f"{each['from']}: {each['content']}")

    @client.on(CHAT_ONLINE)
    def online(event: Event) -> None:
        print(f"* {event.payload['userId']} is {event.payload['type']}")

    @client.on(IMERROR)
    def refused(event: Event) -> None:
        known = event.code in Code.__members__.values()
        name = f"IM_CODE_{Code(event.code).name}" if known else "im_error"
        print(f"! {name} ({event.code}, {event.data['meta'].get('msg')})")


def told(confirmation: Future[Any]) -> None:
    try:
        print(f"✓ stored {confirmation.result()['sequenceId']}")
    except ImError as error:
        print(f"! not confirmed: {error}")


def send_lines(client: Client, user: str, peer: str) -> None:
    confirmations = []
    for line in sys.stdin:
        text = {"type": MessageType.TEXT, "from": user, "to": peer, "content": line.rstrip("\n")}
        confirmations.append(client.submit_message(text))
        confirmations[-1].add_done_callback(told)
    for confirmation in confirmations:
        confirmation.exception()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.environ.get("IM_ROOT", "http://127.0.0.1:7001"), metavar="URL")
    parser.add_argument("--user", default="111", metavar="ID")
    parser.add_argument("--token", default="t", metavar="T")
    parser.add_argument("--peer", default="echo", metavar="ID")
    given = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # Only a replaced stdout lacks it.

    kicked_out, done = threading.Event(), threading.Event()
    with Client(given.root, "chat", query={"token": given.token, "userId": given.user}) as client:
        subscribe(client, kicked_out)
        send_lines(client, given.user, given.peer)
    return KICKED_OUT if kicked_out.is_set() else 0


if __name__ == "__main__":
    sys.exit(main())
