"""Options, credentials, subscriptions, messages, the log: what has no place in the matrix."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Callable

import pytest

import im_client
from im_client import AsyncClient, Client, Event, State

from .servers import PATIENCE, Server, until
from .test_async import run


def test_times_are_seconds(server: Server) -> None:
    with (
        Client(server.root, "/", ack_timeout=0.05, max_pause=1, reconnection_delay=0.5, message_timeout=None) as client,
        pytest.raises(im_client.RequestTimeoutError),
    ):
        client.call("silent")


def test_asked_credentials(server: Server) -> None:
    asked: list[int] = []

    def query(attempt: int) -> dict[str, str]:
        asked.append(attempt)
        return {"token": f"fresh {len(asked)}"}

    with Client(server.root, "/", ask_query=query, query={"token": "stale"}) as client:
        assert client.call("handshake", timeout=PATIENCE)["query"]["token"] == "fresh 1"
        client.close()
        client.open()
        assert client.call("handshake", timeout=PATIENCE)["query"]["token"] == "fresh 2"
    assert len(asked) == 2


def test_asked_credentials_of_a_coroutine(server: Server) -> None:
    async def body() -> None:
        async def query(attempt: int) -> dict[str, int]:
            await asyncio.sleep(0.01)
            return {"attempt": attempt + 1}

        def auth(attempt: int) -> dict[str, int] | None:
            return None

        async with AsyncClient(server.root, "/", ask_query=query, ask_auth=auth) as client:
            assert (await client.call("handshake", timeout=PATIENCE))["query"]["attempt"] == "1"

    run(body())


def test_a_question_answered_by_a_handler(server: Server) -> None:
    with Client(server.root, "/", ask_query=True) as client:
        questions = client.events(im_client.EVENT_QUERY)
        question = questions.get(PATIENCE)
        assert question is not None
        assert question.kind is im_client.EventKind.REQUEST
        assert question.wants_reply
        question.reply({"token": "answered"})
        assert client.call("handshake", timeout=PATIENCE)["query"]["token"] == "answered"
        with pytest.raises(im_client.NotFoundError):
            question.reply({})


def test_set_query_and_set_auth(own_server: Server) -> None:
    with Client(own_server.root, "/") as client:
        client.call("echo", timeout=PATIENCE)
        client.set_query({"token": "new"})
        client.set_auth({"secret": "auth"})
        client.close()
        client.open()
        shake = client.call("handshake", timeout=PATIENCE)
        assert shake["query"]["token"] == "new"
        # Socket.IO 2.x has no auth.
        assert shake.get("auth", {"secret": "auth"}) == {"secret": "auth"}
        client.set_auth(None)


def test_once_any_and_off(server: Server) -> None:
    once: list[Any] = []
    every: list[str] = []
    sent: list[str] = []
    with Client(server.root, "/") as client:

        def hear(event: Event) -> None:
            every.append(event.name)

        def hear_sent(event: Event) -> None:
            sent.append(event.name)

        client.once("burst", lambda event: once.append(event.data))
        assert client.on_any(hear) is hear
        client.on_any_outgoing(hear_sent)
        client.emit("burst", 2)
        until(lambda: every[-2:] == ["burst", "burst"])
        until(lambda: sent == ["burst"])
        assert once == [0]
        client.off_any(hear)
        client.off_any(hear_sent)
        client.on("burst", hear)
        client.off("burst", hear)
        calls: list[Callable[[], None]] = [lambda: client.off("burst", hear), lambda: client.off_any(hear)]
        calls.append(lambda: client.off("burst"))
        for call in calls:
            with pytest.raises(im_client.NotFoundError):
                call()
        client.emit("burst", 2)
        assert client.call("echo", 1, timeout=PATIENCE) == 1
        assert every[-2:] == ["burst", "burst"]
        assert len(every) <= 3


def test_what_a_server_forges_is_its_own(server: Server) -> None:
    heard: list[Event] = []
    with Client(server.root, "/", ask_query=lambda _: {"token": "asked for"}) as client:
        client.on_any(heard.append)
        for name in ("outbox", "query", "reconnect_failed"):
            client.emit("tell", name, {"fp": "f1", "status": 0, "attempt": 0})
        assert client.call("handshake", timeout=PATIENCE)["query"]["token"] == "asked for"
        until(lambda: heard[-1:] != [] and heard[-1].name == "reconnect_failed")
    told = [(event.name, event.kind) for event in heard if event.kind is not im_client.EventKind.REQUEST]
    local, forged = im_client.EventKind.LOCAL, im_client.EventKind.EVENT
    assert told == [("connect", local), ("outbox", forged), ("query", forged), ("reconnect_failed", forged)]


def test_coroutines_may_be_taken_off(server: Server) -> None:
    async def body() -> None:
        heard: list[int] = []
        async with AsyncClient(server.root, "/") as client:

            async def hear(event: Event) -> None:
                heard.append(event.data)
                if event.data == 4:
                    client.off("burst", hear)

            client.on("burst", hear)
            client.emit("burst", 100)
            while len(heard) < 5:
                await asyncio.sleep(0.002)
            assert await client.call("echo", 1, timeout=PATIENCE) == 1
            assert heard == [0, 1, 2, 3, 4]

    run(body())


def test_volatile(server: Server) -> None:
    with Client(server.root, "/", auto_connect=False) as client:
        client.emit("echo", 1, volatile=True)
        with pytest.raises(im_client.DisconnectedError):
            client.call("echo", 1, volatile=True)
        assert client.info()["droppedVolatile"] == 2
        client.open()
        assert client.call("echo", 2, timeout=PATIENCE) == 2
        assert client.call("echo", 3, volatile=True, timeout=PATIENCE) == 3


def test_a_with_block_sends_what_was_emitted(own_server: Server) -> None:
    def arrived() -> list[Any]:
        return [event["args"] for event in own_server.get("/control/stats")["events"]]

    with Client(own_server.root, "/") as client:
        client.emit("silent", "last words")
    until(lambda: arrived() == [["last words"]])

    async def body() -> None:
        async with AsyncClient(own_server.root, "/") as client:
            client.emit("silent", "again")

    run(body())
    until(lambda: arrived() == [["last words"], ["again"]])


def test_a_with_block_does_not_wait_for_nothing() -> None:
    before = time.monotonic()
    with Client("http://127.0.0.1:9", "/"), Client("http://127.0.0.1:9", "/", auto_connect=False):
        pass

    def fail() -> None:
        with Client("http://127.0.0.1:9", "/") as client:
            client.emit("echo")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert time.monotonic() - before < 3


def test_mobile(server: Server) -> None:
    with Client(server.root, "/") as client:
        assert client.call("echo", 1, timeout=PATIENCE) == 1
        client.background()
        assert client.info()["background"]
        client.foreground()
        client.network_changed()
        assert client.call("echo", 2, timeout=PATIENCE) == 2
        client.destroy_socket()
        until(lambda: client.state is State.DISCONNECTED)


def test_messages() -> None:
    made = im_client.create_message({"type": 1, "from": "111", "to": "222", "content": "hi"})
    assert made["fp"]
    assert made["typeu"] == im_client.MessageDomain.DIRECT
    assert im_client.unique_messages([made, made]) == [made]
    assert im_client.timeline_id("111", "222") == "111@222"
    with pytest.raises(im_client.JsonError, match="content"):
        im_client.create_message({"type": 1, "from": "111", "to": "222"})


def test_events_are_told_apart() -> None:
    with Client("http://127.0.0.1:9", "/", reconnection=False) as client:
        failed = client.events(im_client.EVENT_CONNECT_ERROR).get(PATIENCE)
        assert failed is not None
        assert not failed.data["willRetry"]
        assert (failed.code, failed.payload, failed.ack_id) == (None, None, 0)
        assert "connect_error" in repr(failed)
        with pytest.raises(im_client.ImError):
            failed.reply(1)


def test_the_log_goes_to_logging(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "im_client"):
        with Client(server.root, "/", query={"token": "secret-token"}) as client:
            assert client.call("echo", 1, timeout=PATIENCE) == 1
        until(lambda: any(record.levelno <= logging.INFO for record in caplog.records))
        assert all(record.name == "im_client" for record in caplog.records)
        assert "secret-token" not in caplog.text
    seen = len(caplog.records)
    with caplog.at_level(logging.CRITICAL, "im_client"), Client(server.root, "/") as client:
        assert client.call("echo", 1, timeout=PATIENCE) == 1
    assert len(caplog.records) == seen
