#!/usr/bin/env python3
"""Several chat users in one asyncio event loop, and no other thread: the library's wake descriptors are in the loop."""

from __future__ import annotations

import argparse
import asyncio
import os
import threading
from contextlib import AsyncExitStack

from im_client import CHAT_MESSAGE, EVENT_CONNECT, AsyncClient, AsyncStream, Event, MessageType

PATIENCE = 20.0


async def following(stream: AsyncStream) -> Event:
    return await asyncio.wait_for(stream.__anext__(), PATIENCE)


async def chat(root: str, count: int) -> None:
    async with AsyncExitStack() as stack:
        queries = [{"token": "t", "userId": str(i)} for i in range(count)]
        users = [await stack.enter_async_context(AsyncClient(root, "chat", query=query)) for query in queries]
        messages = [user.events(CHAT_MESSAGE) for user in users]
        await asyncio.gather(*(following(user.events(EVENT_CONNECT)) for user in users))

        # Each greets the next, all at once.
        texts = [
            {"type": MessageType.TEXT, "from": str(i), "to": str((i + 1) % count), "content": f"hi from {i}"}
            for i in range(count)
        ]
        stored = await asyncio.gather(*(user.send_message(text, timeout=PATIENCE) for user, text in zip(users, texts)))
        received = await asyncio.gather(*map(following, messages))
        for i, event in enumerate(received):
            print(f"user {i} got {event.payload['content']!r}")
        threads = threading.active_count()
    print(f"{len(users)} users, {len(stored)} stored, {len(received)} received, {threads} thread")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.environ.get("IM_ROOT", "http://127.0.0.1:7001"), metavar="URL")
    parser.add_argument("--users", type=int, default=4, metavar="N")
    given = parser.parse_args()
    asyncio.run(chat(given.root, given.users))


if __name__ == "__main__":
    main()
