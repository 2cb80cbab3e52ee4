#!/usr/bin/env python3
"""Several chat users in one asyncio event loop, by ctypes alone: no other thread ever enters the interpreter.

With "delivery": "manual" the library calls nobody. It makes a descriptor readable, asyncio calls `take`, and that polls:
events go into a queue, outcomes of requests into futures. No ctypes callback is needed, so none can outlive its object.
"""

import argparse
import asyncio
import ctypes
import json
import threading
from dataclasses import dataclass
from typing import Any

IM_OK = 0
IM_WOKEN = 2
IM_ERROR_TIMEOUT = -8
IM_EVENT_KIND_ACK = 1
PATIENCE_MS = 20_000
# So many events of one client, then the loop has its turn.
EVENTS_PER_TURN = 64


class ImEvent(ctypes.Structure):
    """`im_event` of the header."""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("client", ctypes.c_uint64),
        ("kind", ctypes.c_int32),
        ("name", ctypes.c_char_p),
        ("name_len", ctypes.c_size_t),
        ("json", ctypes.c_char_p),
        ("json_len", ctypes.c_size_t),
        ("ack_id", ctypes.c_uint64),
        ("request", ctypes.c_int64),
        ("status", ctypes.c_int32),
        ("blob_count", ctypes.c_size_t),
    ]


EventPointer = ctypes.POINTER(ImEvent)


def load(path: str) -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    handle, text = ctypes.c_uint64, ctypes.c_char_p
    ack = [ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p]  # timeout_ms, fn, user_data
    for name, result, arguments in [
        ("im_client_new", handle, [text]),
        ("im_client_destroy", ctypes.c_int32, [handle]),
        ("im_client_flush", ctypes.c_int32, [handle, ctypes.c_int64]),
        ("im_client_emit_with_ack", ctypes.c_int64, [handle, text, text, *ack]),
        ("im_client_send_message", ctypes.c_int64, [handle, text, *ack]),
        ("im_client_poll", ctypes.c_int32, [handle, ctypes.c_int64, ctypes.POINTER(EventPointer)]),
        ("im_client_wake_fd", ctypes.c_int32, [handle]),
        ("im_event_release", None, [EventPointer]),
        ("im_status_name", text, [ctypes.c_int32]),
        ("im_last_error", text, []),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


@dataclass
class Event:
    name: str
    value: Any


class ImError(Exception):
    pass


class Client:
    """A client in the event loop that makes it."""

    def __init__(self, library: ctypes.CDLL, options: dict[str, Any]):
        self.library = library
        self.loop = asyncio.get_running_loop()
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.requests: dict[int, asyncio.Future[Any]] = {}
        self.handle = library.im_client_new(json.dumps(options | {"delivery": "manual"}).encode())
        if self.handle == 0:
            raise self.last_error()
        self.descriptor = library.im_client_wake_fd(self.handle)
        self.loop.add_reader(self.descriptor, self.take)

    def last_error(self) -> ImError:
        return ImError(self.library.im_last_error().decode())

    def take(self) -> None:
        """Takes what waits. Where something is left the descriptor stays readable, and asyncio comes back."""
        event = EventPointer()
        for _ in range(EVENTS_PER_TURN):
            status = self.library.im_client_poll(self.handle, 0, ctypes.byref(event))
            if status == IM_WOKEN:
                continue
            if status == IM_ERROR_TIMEOUT:
                return
            if status != IM_OK:
                raise self.last_error()
            try:
                self.give(event.contents)
            finally:
                # Now the event counts as delivered, and a message is receipted.
                self.library.im_event_release(event)

    def give(self, event: ImEvent) -> None:
        value = json.loads(event.json)
        if event.kind != IM_EVENT_KIND_ACK:
            self.events.put_nowait(Event(event.name.decode(), value))
            return
        future = self.requests.pop(event.request)
        if future.done():
            return  # Its waiter was canceled.
        if event.status == IM_OK:
            future.set_result(value)
        else:
            future.set_exception(ImError(self.library.im_status_name(event.status).decode()))

    async def outcome(self, request: int) -> Any:
        """The answer to a request whose function is NULL: it comes by poll, so not before this thread is back in its loop."""
        if request < 0:
            raise self.last_error()
        self.requests[request] = self.loop.create_future()
        return await self.requests[request]

    async def ask(self, event: str, value: Any) -> Any:
        name, argument = event.encode(), json.dumps(value).encode()
        request = self.library.im_client_emit_with_ack(self.handle, name, argument, PATIENCE_MS, None, None)
        return await self.outcome(request)

    async def send(self, message: dict[str, Any]) -> Any:
        text = json.dumps(message).encode()
        request = self.library.im_client_send_message(self.handle, text, PATIENCE_MS, None, None)
        return await self.outcome(request)

    async def wait_for(self, name: str) -> Any:
        while True:
            event = await self.events.get()
            if event.name == name:
                return event.value

    def destroy(self) -> None:
        # Out of the loop first: the library closes the descriptor.
        self.loop.remove_reader(self.descriptor)
        self.library.im_client_flush(self.handle, PATIENCE_MS)
        self.library.im_client_destroy(self.handle)


async def chat(library: ctypes.CDLL, root: str, count: int) -> None:
    options = [{"root": root, "nsp": "chat", "query": {"token": "t", "userId": str(i)}} for i in range(count)]
    users = [Client(library, each) for each in options]
    await asyncio.gather(*(user.wait_for("connect") for user in users))
    # Each greets the next, all at once.
    texts = [{"type": 1, "from": str(i), "to": str((i + 1) % count), "content": f"hi from {i}"} for i in range(count)]
    stored = await asyncio.gather(*(user.send(text) for user, text in zip(users, texts)))
    received = await asyncio.gather(*(user.wait_for("c_message") for user in users))
    for i, envelope in enumerate(received):
        print(f"user {i} got {envelope['data']['payload']['content']!r}")
    for user in users:
        user.destroy()
    print(f"{len(users)} users, {len(stored)} stored, {len(received)} received, {threading.active_count()} thread")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", default="target/debug/libim_client.so")
    parser.add_argument("--root", default="http://localhost:7001")
    parser.add_argument("--users", type=int, default=4)
    given = parser.parse_args()
    asyncio.run(asyncio.wait_for(chat(load(given.library), given.root, given.users), 60))


if __name__ == "__main__":
    main()
