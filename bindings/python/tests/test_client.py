"""Client against real servers: the behaviour matrix."""

from __future__ import annotations

import concurrent.futures
import threading
from collections import Counter, OrderedDict
from concurrent.futures import CancelledError
from typing import Any

import pytest

import im_client
from im_client import (
    CHAT_MESSAGE,
    CHAT_TO,
    EVENT_CONNECT,
    EVENT_DISCONNECT,
    IMERROR,
    SSO_QRLOGIN,
    Client,
    Code,
    Event,
    State,
    Status,
)

from .servers import PATIENCE, Server, credentials, new_user, scan, text_message, until


def test_matrix_connect(server: Server) -> None:
    with Client(server.root, "/") as client:
        event = client.events(EVENT_CONNECT).get(PATIENCE)
        assert event is not None
        assert event.data["sid"] == client.socket_id
        assert client.state is State.CONNECTED
        assert client.info()["transport"] == event.data["transport"] == "websocket"


def test_matrix_receive(server: Server) -> None:
    heard: list[Event] = []
    with Client(server.root, "/") as client:
        for name in ("several", "unicode", "numbers", "no_args"):
            client.on(name, heard.append)
            client.emit(name)
        until(lambda: len(heard) == 4)
    several, unicode, numbers, nothing = heard
    assert several.args == [1, "two", {"three": 3}, [4], None]
    assert several.data == 1
    assert unicode.args[:2] == ["ä€中", "😀👩‍👩‍👧 𝕏"]
    assert unicode.args[4:] == ["\0\x1e\x7f", "\u2028\u2029"]
    assert numbers.args[7:] == [9007199254740991, 9007199254740993, 18446744073709551615, -9223372036854775808]
    assert (nothing.args, nothing.data, nothing.wants_reply) == ([], None, False)


def test_matrix_emit(server: Server) -> None:
    with Client(server.root, "/") as client:
        echoes = client.events("echo")
        client.emit("echo", 1, "zwei", None, {"drei": [3.5, True]}, "ä😀")
        client.emit("echo")
        first, second = next(echoes), next(echoes)
        assert first.args == [1, "zwei", None, {"drei": [3.5, True]}, "ä😀"]
        assert second.args == []


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "comes"),
    [
        (Text("ä"), "ä"),
        (Status.ERROR_JSON, -4),
        ((1, (2,)), [1, [2]]),
        ({1: True, None: 2.5, "x": None}, {"1": True, "null": 2.5, "x": None}),
        (OrderedDict(b=1, a=Counter("zz")), {"b": 1, "a": {"z": 2}}),
        ('\0"\\\u2028\x7f', '\0"\\\u2028\x7f'),
        ({"deep": [b"\1"]}, {"deep": [b"\1"]}),
        (-(2**53) + 1, -(2**53) + 1),
    ],
    ids=str,
)
def test_one_argument_is_what_json_makes_of_it(server: Server, value: Any, comes: Any) -> None:
    with Client(server.root, "/") as client:
        echoes = client.events("echo")
        client.emit(Text("echo"), value)
        client.emit("echo", value, "and another")
        assert next(echoes).args == [comes]
        assert next(echoes).args == [comes, "and another"]


def test_a_name_with_a_nul_is_not_cut_short(server: Server) -> None:
    with Client(server.root, "/") as client:
        echoes = client.events("echo")
        client.emit("echo\0", 1)
        client.emit("echo", 2)
        assert next(echoes).data == 2


def test_matrix_ack_from_server(server: Server) -> None:
    with Client(server.root, "/") as client:
        assert client.call("echo", {"a": 1}, timeout=PATIENCE) == {"a": 1}
        assert client.call("echo", timeout=PATIENCE) is None
        assert client.call("echo", 1, [2], timeout=PATIENCE) == (1, [2])
        future = client.submit("echo", "later", timeout=PATIENCE)
        told: list[Any] = []
        future.add_done_callback(lambda done: told.append(done.result()))
        assert future.result() == "later"
        until(lambda: told == ["later"])


def test_matrix_ack_to_server_in_the_handler(server: Server) -> None:
    with Client(server.root, "/") as client:
        client.on("question", lambda event: ("yes", event.args))
        answered = client.events("answered")
        client.emit("ask", 1, "two")
        assert next(answered).args == ["yes", [1, "two"]]


def test_matrix_ack_to_server_later(server: Server) -> None:
    with Client(server.root, "/") as client:
        questions, answered = client.events("question"), client.events("answered")
        client.emit("ask", "when?")
        question = next(questions)
        assert question.wants_reply
        question.reply("now", b"\0\1")
        assert next(answered).args == ["now", b"\0\1"]
        with pytest.raises(im_client.NotFoundError):
            question.reply("again")


def test_matrix_binary(server: Server) -> None:
    with Client(server.root, "/") as client:
        nested = [b"\1\2\3", {"list": [b"", "x", {"deep": b"\7" * 70_000}]}]
        assert client.call("binary", timeout=PATIENCE) == tuple(nested)
        assert client.call("echo", *nested, timeout=PATIENCE) == tuple(nested)
        assert client.call("describe", bytearray(b"\xff"), timeout=PATIENCE) == {"hex": "ff"}
        assert client.call("describe", {"in": memoryview(b"ab")[1:]}, timeout=PATIENCE) == {"in": {"hex": "62"}}
        echoes = client.events("echo")
        client.emit("echo", {"plain": 1}, b"\0")
        assert next(echoes).args == [{"plain": 1}, b"\0"]


def test_matrix_send_message(chat_server: Server) -> None:
    alice, bob = new_user(), new_user()
    with Client(chat_server.root, "chat", query=credentials(bob)) as receiver:
        received = receiver.events("CHAT_MESSAGE")
        # Before, it would come as an offline message.
        until(lambda: receiver.state is State.CONNECTED)
        with Client(chat_server.root, "chat", query=credentials(alice)) as sender:
            stored = sender.send_message(text_message(alice, bob, "grüß dich"), timeout=PATIENCE)
        assert stored["content"] == "grüß dich"
        assert stored["sequenceId"] > 0
        message = received.get(PATIENCE)
        assert message is not None
        assert (message.name, message.code) == (CHAT_MESSAGE, Code.OK)
        assert message.payload["fp"] == stored["fp"]


def test_matrix_send_message_refused(chat_server: Server, user: str) -> None:
    with Client(chat_server.root, "chat", query=credentials(user)) as client:
        to_nobody = {**text_message(user, "no-such-group"), "typeu": im_client.MessageDomain.GROUP}
        with pytest.raises(im_client.RefusedError) as refused:
            client.send_message(to_nobody, timeout=PATIENCE)
        assert refused.value.code == Code.SEND_FAILED
        assert refused.value.name == "IM_ERROR_REFUSED"
        assert refused.value.reply["code"] == Code.SEND_FAILED


def test_matrix_qr_login(chat_server: Server, user: str) -> None:
    with Client(chat_server.root, "sso", query={"device_id": user}) as client:
        logins, ends = client.events(SSO_QRLOGIN), client.events(EVENT_DISCONNECT)
        until(lambda: client.state is State.CONNECTED)
        scan(chat_server, user)
        login = logins.get(PATIENCE)
        assert login is not None
        assert login.code == Code.OK
        assert login.payload["token"]
        # The library leaves by itself.
        end = ends.get(PATIENCE)
        assert end is not None
        assert not end.data["willReconnect"]


def test_matrix_kick_out(chat_server: Server, user: str) -> None:
    with Client(chat_server.root, "chat", query=credentials(user)) as first:
        errors, ends = first.events(IMERROR), first.events(EVENT_DISCONNECT)
        until(lambda: first.state is State.CONNECTED)
        with Client(chat_server.root, "chat", query=credentials(user)) as second:
            error, end = errors.get(PATIENCE), ends.get(PATIENCE)
            assert error is not None
            assert end is not None
            assert error.code == end.data["code"] == Code.OTHER_DEVICE
            assert not end.data["willReconnect"]
            assert first.state is State.DISCONNECTED
            until(lambda: second.state is State.CONNECTED)


def test_matrix_reconnect(own_server: Server) -> None:
    with Client(own_server.root, "/", reconnection_delay=0.01) as client:
        ends, connects, echoes = client.events("disconnect"), client.events("connect"), client.events("echo")
        assert connects.get(PATIENCE)
        own_server.post("/control/stop-listening")
        own_server.post("/control/drop")
        end = ends.get(PATIENCE)
        assert end is not None
        assert end.data["willReconnect"]
        for number in range(3):
            client.emit("echo", number)
        own_server.post("/control/start-listening")
        assert connects.get(PATIENCE)
        assert [next(echoes).data for _ in range(3)] == [0, 1, 2]
        assert client.info()["reconnects"] == 1


def test_matrix_close(server: Server) -> None:
    with Client(server.root, "/", auto_connect=False) as client:
        connects, ends = client.events("connect"), client.events("disconnect")
        assert client.state is State.DISCONNECTED
        assert client.socket_id is None
        client.open()
        assert connects.get(PATIENCE)
        client.close()
        end = ends.get(PATIENCE)
        assert end is not None
        assert end.data["reason"] == "io client disconnect"
        assert client.state is State.DISCONNECTED
        client.open()
        assert connects.get(PATIENCE)
        assert client.call("echo", 1, timeout=PATIENCE) == 1


def test_matrix_destroy_in_callback(server: Server) -> None:
    client = Client(server.root, "/")
    pending = client.submit("silent")
    heard: list[str] = []
    done = threading.Event()

    @client.on("burst")
    def strike(event: Event) -> None:
        heard.append(event.name)
        client.destroy()
        with pytest.raises(im_client.ClosedError):
            client.emit("echo")
        done.set()

    client.emit("burst", 100)
    assert done.wait(PATIENCE)
    error = pending.exception(PATIENCE)
    assert isinstance(error, im_client.CanceledError)
    until(lambda: im_client.client_count() == 0)
    assert heard == ["burst"]


def test_matrix_thousand_in_order(server: Server) -> None:
    with Client(server.root, "/") as client:
        heard: list[int] = []
        client.on("burst", lambda event: heard.append(event.data))
        stream = client.events("burst")
        client.emit("burst", 1000)
        assert [next(stream).data for _ in range(1000)] == list(range(1000))
        until(lambda: len(heard) == 1000)
        assert heard == list(range(1000))


def test_matrix_error_timeout(server: Server) -> None:
    with Client(server.root, "/") as client:
        with pytest.raises(TimeoutError) as raised:
            client.call("silent", timeout=0.05)
        assert isinstance(raised.value, im_client.RequestTimeoutError)
        assert raised.value.status is Status.ERROR_TIMEOUT
        assert raised.value.name == "IM_ERROR_TIMEOUT"
        assert client.info()["expiredRequests"] == 1
    with Client(server.root, "/", ack_timeout=0.05) as client, pytest.raises(im_client.RequestTimeoutError):
        client.call("silent")


def test_matrix_error_canceled(server: Server) -> None:
    with Client(server.root, "/") as client:
        future = client.submit("silent")
        waited: list[BaseException] = []

        def wait() -> None:
            try:
                future.result()
            except CancelledError as error:
                waited.append(error)

        waiter = threading.Thread(target=wait)
        waiter.start()
        assert future.cancel()
        waiter.join(PATIENCE)
        assert len(waited) == 1
        until(lambda: client.info()["canceledRequests"] == 1)
        assert client.info()["pendingRequests"] == 0
        answered = client.submit("echo", 1)
        assert answered.result(PATIENCE) == 1
        assert not answered.cancel()


def test_matrix_error_throwing_callback(server: Server) -> None:
    told: list[tuple[BaseException, Any]] = []
    with Client(server.root, "/", on_error=lambda error, event: told.append((error, event and event.data))) as client:
        heard = client.events("burst")

        @client.on("burst")
        def fail(event: Event) -> None:
            raise LookupError(event.data)

        client.emit("burst", 3)
        assert [next(heard).data for _ in range(3)] == [0, 1, 2]
        until(lambda: len(told) == 3)
    assert [(type(error), data) for error, data in told] == [(LookupError, 0), (LookupError, 1), (LookupError, 2)]


def test_matrix_error_throwing_callback_is_logged_unless_told_otherwise(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with Client(server.root, "/") as client:

        @client.on("burst")
        def fail(event: Event) -> None:
            raise SystemExit(f"on purpose {event.data}")

        client.emit("burst", 1)
        until(lambda: caplog.records)
    assert "exception in a handler of burst" in caplog.text
    assert "on purpose 0" in caplog.text


def test_who_waits_for_futures_hears_of_a_cancel(server: Server) -> None:
    with Client(server.root, "/") as client:
        early, late = client.submit("silent"), client.submit("silent")
        assert early.cancel()
        assert early.cancel()
        timer = threading.Timer(0.05, late.cancel)
        timer.start()
        done, _ = concurrent.futures.wait([early, late], timeout=PATIENCE)
        assert done == {early, late}
        timer.join()


def test_off_takes_either_name_of_an_im_event(server: Server) -> None:
    with Client(server.root, "/") as client:
        client.off(CHAT_TO, client.on("CHAT_TO", print))
        client.off("CHAT_TO", client.on(CHAT_TO, print))


def test_a_handler_may_be_taken_off_and_on_again(server: Server) -> None:
    with Client(server.root, "/", auto_connect=False) as client:
        for _ in range(20):
            client.on("burst", print)
            client.off("burst", print)
            with pytest.raises(im_client.NotFoundError):
                client.off("burst", print)
