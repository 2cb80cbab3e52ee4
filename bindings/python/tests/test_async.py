"""AsyncClient against real servers: the behaviour matrix again."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
import weakref
from collections.abc import Awaitable, Coroutine
from typing import Any, Callable, TypeVar

import pytest

import im_client
from im_client import AsyncClient, AsyncStream, Code, Event, State

from . import servers
from .servers import PATIENCE, Server, credentials, new_user, scan, text_message

T = TypeVar("T")


def run(body: Coroutine[Any, Any, T]) -> T:
    """In a loop that reports what asyncio would only log."""
    problems: list[dict[str, Any]] = []

    async def watched() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
        return await asyncio.wait_for(body, 3 * PATIENCE)

    result = asyncio.run(watched())
    assert problems == []
    return result


async def soon(awaitable: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaitable, PATIENCE)


async def until(holds: Callable[[], object]) -> None:
    async def poll() -> None:
        while not holds():
            await asyncio.sleep(0.002)

    await soon(poll())


async def following(stream: AsyncStream) -> Event:
    return await soon(stream.__anext__())


def test_matrix_connect_async(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            event = await following(client.events("connect"))
            assert event.data["sid"] == client.socket_id
            assert client.state is State.CONNECTED

    threads = threading.active_count()
    run(body())
    # That of the flush at the end may be about to end.
    servers.until(lambda: threading.active_count() == threads)


def test_matrix_receive_async(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            several = client.events("several")
            client.emit("several")
            assert (await following(several)).args == [1, "two", {"three": 3}, [4], None]

    run(body())


def test_matrix_emit_async(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            echoes = client.events("echo")
            client.emit("echo", 1, {"two": [2]}, b"\3")
            assert (await following(echoes)).args == [1, {"two": [2]}, b"\3"]

    run(body())


def test_matrix_ack_from_server_async(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            answers = await soon(asyncio.gather(*(client.call("echo", number) for number in range(50))))
            assert answers == list(range(50))
            assert await client.call("binary", timeout=PATIENCE)

    run(body())


def test_matrix_ack_to_server_async(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:

            @client.once("question")
            def at_once(event: Event) -> Any:
                return "at once", event.data

            answered = client.events("answered")
            client.emit("ask", 1)
            assert (await following(answered)).args == ["at once", 1]

            @client.once("question")
            async def from_a_coroutine(event: Event) -> Any:
                # The answer to this one comes by the same way.
                return await client.call("echo", event.data)

            client.emit("ask", 2)
            assert (await following(answered)).args == [2]

            questions = client.events("question")
            client.emit("ask", 3)
            (await following(questions)).reply(b"later")
            assert (await following(answered)).args == [b"later"]

    run(body())


def test_matrix_send_message_async(chat_server: Server) -> None:
    async def body() -> None:
        alice, bob = new_user(), new_user()
        async with AsyncClient(chat_server.root, "chat", query=credentials(bob)) as receiver:
            received, connected = receiver.events("c_message"), receiver.events("connect")
            await following(connected)
            async with AsyncClient(chat_server.root, "chat", query=credentials(alice)) as sender:
                stored = await sender.send_message(text_message(alice, bob), timeout=PATIENCE)
                assert (await following(received)).payload["fp"] == stored["fp"]
                to_nobody = {**text_message(alice, "no-such-group"), "typeu": 2}
                with pytest.raises(im_client.RefusedError) as refused:
                    await sender.send_message(to_nobody, timeout=PATIENCE)
                assert refused.value.code == Code.SEND_FAILED

    run(body())


def test_matrix_qr_login_async(chat_server: Server, user: str) -> None:
    async def body() -> None:
        async with AsyncClient(chat_server.root, "sso", query={"device_id": user}) as client:
            logins = client.events("qrlogin")
            await until(lambda: client.state is State.CONNECTED)
            await asyncio.get_running_loop().run_in_executor(None, scan, chat_server, user)
            assert (await following(logins)).payload["token"]

    run(body())


def test_matrix_kick_out_async(chat_server: Server, user: str) -> None:
    async def body() -> None:
        async with AsyncClient(chat_server.root, "chat", query=credentials(user)) as first:
            ends = first.events("disconnect")
            await until(lambda: first.state is State.CONNECTED)
            async with AsyncClient(chat_server.root, "chat", query=credentials(user)):
                end = await following(ends)
                assert end.data["code"] == Code.OTHER_DEVICE
                assert not end.data["willReconnect"]

    run(body())


def test_matrix_reconnect_async(own_server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(own_server.root, "/", reconnection_delay=0.01) as client:
            connects = client.events("connect")
            await following(connects)
            own_server.post("/control/drop")
            await following(connects)
            assert await client.call("echo", "again", timeout=PATIENCE) == "again"

    run(body())


def test_matrix_close_async(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            connects, ends = client.events("connect"), client.events("disconnect")
            await following(connects)
            client.close()
            assert (await following(ends)).data["reason"] == "io client disconnect"
            client.open()
            await following(connects)

    run(body())


def test_matrix_destroy_in_callback_async(server: Server) -> None:
    async def body() -> None:
        for asynchronous in (False, True):
            client = AsyncClient(server.root, "/")
            stream = client.events("never")
            heard: list[Any] = []

            def strike(event: Event, client: AsyncClient = client, heard: list[Any] = heard) -> None:
                heard.append(event.data)
                client.destroy()

            async def strike_later(event: Event, strike: Callable[[Event], None] = strike) -> None:
                strike(event)

            client.on("burst", strike_later if asynchronous else strike)
            client.emit("burst", 100)
            with pytest.raises(im_client.CanceledError):
                await soon(client.call("silent"))
            assert heard == [0]
            assert [event async for event in stream] == []
            with pytest.raises(im_client.ClosedError):
                client.emit("echo")

    run(body())


def test_matrix_thousand_in_order_async(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            by_function: list[int] = []
            by_coroutine: list[int] = []
            client.on("burst", lambda event: by_function.append(event.data))

            @client.on("burst")
            async def hear(event: Event) -> None:
                await asyncio.sleep(0)
                by_coroutine.append(event.data)

            one, other = client.events("burst"), client.events("burst", limit=1)
            client.emit("burst", 1000)

            async def all_of(stream: AsyncStream) -> list[int]:
                return [(await following(stream)).data for _ in range(1000)]

            assert [*await asyncio.gather(all_of(one), all_of(other))] == [list(range(1000))] * 2
            await until(lambda: len(by_coroutine) == 1000)
            assert by_function == by_coroutine == list(range(1000))

    run(body())


def test_matrix_error_timeout_async(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            with pytest.raises(asyncio.TimeoutError) as raised:
                await client.call("silent", timeout=0.05)
            assert isinstance(raised.value, im_client.RequestTimeoutError)
            assert isinstance(raised.value, TimeoutError)

    run(body())


def test_matrix_error_canceled_async(server: Server) -> None:
    async def body() -> None:
        async with AsyncClient(server.root, "/") as client:
            task = asyncio.ensure_future(client.call("silent"))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.call("silent"), 0.01)
            assert client.info()["canceledRequests"] == 2
            assert client.info()["pendingRequests"] == 0
            stream = client.events("burst")
            waiting = asyncio.ensure_future(stream.__anext__())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            # A canceled wait loses nothing.
            client.emit("burst", 2)
            assert [(await following(stream)).data for _ in range(2)] == [0, 1]

    run(body())


def test_matrix_error_throwing_callback_async(server: Server) -> None:
    async def body() -> None:
        told: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: told.append(f"{context['message']}: {context['exception']}"))
        async with AsyncClient(server.root, "/") as client:

            @client.on("burst")
            def fail(event: Event) -> None:
                raise LookupError(event.data)

            @client.on("burst")
            async def fail_later(event: Event) -> None:
                raise ValueError(event.data)

            client.emit("burst", 2)
            await until(lambda: len(told) == 4)
        message = "exception in a handler of burst: "
        assert sorted(told) == [f"{message}{number}" for number in (0, 0, 1, 1)]

    run(body())


def test_matrix_error_in_finalizer_async(server: Server) -> None:
    async def body() -> None:
        client = AsyncClient(server.root, "/")
        client.on("burst", functools.partial(client.emit, "echo"))
        gone = weakref.ref(client)
        await following(client.events("connect"))
        del client
        with pytest.warns(ResourceWarning, match="was not destroyed"):
            gc.collect()
        assert gone() is None
        await until(lambda: im_client.client_count() == 0)

    run(body())


def test_a_client_whose_loop_is_closed_is_given_back(server: Server) -> None:
    kept: list[AsyncClient] = []

    async def body() -> None:
        kept.append(AsyncClient(server.root, "/"))
        kept.append(AsyncClient(server.root, "/"))
        await following(kept[0].events("connect"))

    run(body())
    kept.pop().destroy()
    with pytest.warns(ResourceWarning, match="was not destroyed"):
        kept.clear()


def test_a_client_wants_a_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        AsyncClient("http://127.0.0.1:1", "/")


def test_a_canceled_handler_misses_no_event(server: Server) -> None:
    async def body() -> None:
        told: list[BaseException] = []
        heard: list[int] = []
        async with AsyncClient(server.root, "/", on_error=lambda error, event: told.append(error)) as client:

            @client.on("burst")
            async def canceled(event: Event) -> None:
                heard.append(event.data)
                gone = asyncio.get_running_loop().create_future()
                gone.cancel()
                await gone

            @client.on("echo")
            def plain(event: Event) -> None:
                raise asyncio.CancelledError

            client.emit("burst", 10)
            await until(lambda: heard == list(range(10)))
            client.emit("echo")
            await until(lambda: len(told) == 11)
        assert {type(error) for error in told} == {asyncio.CancelledError}

    run(body())


def test_a_loop_with_eager_tasks(server: Server) -> None:
    async def body() -> None:
        # Of Python 3.12 on; before it the loop has its usual ones.
        asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))
        heard: list[int] = []
        async with AsyncClient(server.root, "/") as client:

            @client.on("burst")
            async def hear(event: Event) -> None:
                heard.append(event.data)
                if event.data % 2:
                    await asyncio.sleep(0)

            client.emit("burst", 100)
            await until(lambda: heard == list(range(100)))

    run(body())


def test_flushes_without_end_leave_the_loops_executor_alone() -> None:
    async def body() -> None:
        client = AsyncClient("http://127.0.0.1:9", "/", auto_connect=False)
        client.emit("echo")
        flushes = [asyncio.ensure_future(client.flush()) for _ in range(50)]
        await asyncio.sleep(0)
        assert await soon(asyncio.get_running_loop().run_in_executor(None, lambda: "free")) == "free"
        client.destroy()
        ends = await soon(asyncio.gather(*flushes, return_exceptions=True))
        assert {type(end) for end in ends} == {im_client.ClosedError}

    run(body())


def test_another_loop_is_refused(server: Server) -> None:
    made: list[Any] = []

    async def make() -> None:
        client = AsyncClient(server.root, "/")
        made.extend((client, client.events("burst")))

    async def use() -> None:
        with pytest.raises(RuntimeError, match="different loop"):
            await soon(made[1].__anext__())

    run(make())
    run(use())
    made[0].destroy()
