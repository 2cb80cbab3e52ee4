"""Streams: each event to each of them, in order, none lost, no more than the bound, whoever is slow."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

import im_client
from im_client import AsyncClient, Client

from .servers import PATIENCE, Server, until
from .test_async import following, run


def in_library(client: Any) -> int:
    """Events that the library still has."""
    waiting: int = client.info()["receiveQueue"]["events"]
    return waiting


def test_a_slow_consumer_holds_the_client_and_loses_nothing(server: Server) -> None:
    with Client(server.root, "/") as client:
        stream = client.events("burst", limit=10)
        client.emit("burst", 1000)
        until(lambda: in_library(client) == 990)
        # Answers come past the events that wait, on whatever thread they are waited for.
        assert client.call("echo", 1, timeout=PATIENCE) == 1
        answers = [client.submit("echo", number, timeout=PATIENCE) for number in range(20)]
        assert [answer.result() for answer in answers] == list(range(20))
        assert in_library(client) == 990
        for number in range(1000):
            assert next(stream).data == number
            if number % 100 == 0:
                assert client.call("echo", number, timeout=PATIENCE) == number


def test_a_slow_task_holds_the_client_and_loses_nothing(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            stream = client.events("burst", limit=10)
            client.emit("burst", 1000)
            while in_library(client) != 990:
                await asyncio.sleep(0.002)
            assert await asyncio.gather(*(client.call("echo", n) for n in range(20))) == list(range(20))
            assert in_library(client) == 990
            for number in range(1000):
                assert (await following(stream)).data == number
                if number % 100 == 0:
                    assert await client.call("echo", number, timeout=PATIENCE) == number

    run(body())


def test_a_slow_coroutine_holds_the_client_too(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            may_go = asyncio.Event()
            heard: list[int] = []

            @client.on("burst")
            async def hear(event: im_client.Event) -> None:
                heard.append(event.data)
                await may_go.wait()

            client.emit("burst", 1000)
            # One is being dealt with, 64 wait.
            while in_library(client) != 935:
                await asyncio.sleep(0.002)
            assert heard == [0]
            may_go.set()
            while len(heard) < 1000:
                await asyncio.sleep(0.002)
            assert heard == list(range(1000))

    run(body())


def test_a_stream_that_is_made_amid_a_burst_has_its_bound_at_once(server: Server) -> None:
    with Client(server.root, "/") as client:
        made: list[im_client.Stream] = []

        @client.on("burst")
        def make(event: im_client.Event) -> None:
            if event.data == 0:
                until(lambda: in_library(client) == 99)
            if event.data == 10:
                made.append(client.events("burst", limit=1))

        client.emit("burst", 100)
        until(lambda: made and made[0].full)
        assert client.call("echo", 1, timeout=PATIENCE) == 1
        assert in_library(client) == 88
        assert [next(made[0]).data for _ in range(89)] == list(range(11, 100))


def test_streams_that_are_left_or_closed_hold_nobody(server: Server) -> None:
    with Client(server.root, "/") as client:
        left, closed = client.events("burst", limit=1), client.events("burst", limit=1)
        client.emit("burst", 100)
        until(lambda: in_library(client) > 90)
        del left
        closed.close()
        assert list(closed) == []
        assert client.call("echo", 1, timeout=PATIENCE) == 1
        until(lambda: in_library(client) == 0)


def test_tasks_that_leave_their_loop_hold_nobody(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            client.emit("burst", 100)
            async for event in client.events("burst", limit=1):
                assert event.data == 0
                break
            async with client.events("burst", limit=1) as other:
                client.emit("burst", 100)
                await following(other)
            gc.collect()
            while in_library(client) > 0:
                await asyncio.sleep(0.002)

    run(body())


def test_several_names_and_all_names(server: Server) -> None:
    with Client(server.root, "/") as client:
        both, everything = client.events("several", "no_args"), client.events()
        client.emit("no_args")
        client.emit("several")
        assert [next(both).name, next(both).name] == ["no_args", "several"]
        names = [next(everything).name for _ in range(3)]
        assert names == ["connect", "no_args", "several"]


def test_a_stream_ends_with_its_client_and_with_off(server: Server) -> None:
    client = Client(server.root, "/")
    stream, other = client.events("burst"), client.events("echo", "burst")
    client.emit("burst", 3)
    assert [next(stream).data for _ in range(3)] == [0, 1, 2]
    assert [next(other).data for _ in range(3)] == [0, 1, 2]
    client.off("burst")
    assert list(stream) == []
    # The other part of this one goes on.
    client.emit("echo", "still here")
    assert next(other).data == "still here"
    waiter: list[list[im_client.Event]] = []
    thread = threading.Thread(target=lambda: waiter.append(list(other)))
    thread.start()
    client.destroy()
    thread.join(PATIENCE)
    assert waiter == [[]]


def test_threads_share_a_stream_and_each_sees_its_end(server: Server) -> None:
    client = Client(server.root, "/")
    stream = client.events("burst")
    heard: list[int] = []
    threads = [threading.Thread(target=lambda: heard.extend(event.data for event in stream)) for _ in range(3)]
    for thread in threads:
        thread.start()
    client.emit("burst", 300)
    until(lambda: len(heard) == 300)
    client.destroy()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert sorted(heard) == list(range(300))


def test_get_with_a_timeout(server: Server) -> None:
    with Client(server.root, "/") as client:
        stream = client.events("burst")
        with pytest.raises(TimeoutError, match=r"no event came within 0\.01 s"):
            stream.get(0.01)
        client.emit("burst", 1)
        event = stream.get(PATIENCE)
        assert event is not None
        assert event.data == 0
        stream.close()
        assert stream.get() is None


def test_two_tasks_do_not_share_a_stream(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            stream = client.events("burst")
            first = asyncio.ensure_future(following(stream))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another task waits"):
                await stream.__anext__()
            client.emit("burst", 1)
            assert (await first).data == 0

    run(body())


@pytest.mark.parametrize("limit", [0, -1, "many", None])
def test_a_limit_is_a_number(server: Server, limit: Any) -> None:
    with Client(server.root, "/") as client, pytest.raises(im_client.InvalidArgumentError, match='"limit"'):
        client.events("burst", limit=limit)


def test_early_events_wait_for_their_stream(server: Server) -> None:
    with Client(server.root, "/") as client:
        client.emit("burst", 3)
        assert client.call("echo", 1, timeout=PATIENCE) == 1
        stream = client.events("burst")
        assert [next(stream).data for _ in range(3)] == [0, 1, 2]
