"""Bad input: each an exception that says what was wrong, with the C status in it, and nothing is sent."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import im_client
from im_client import AsyncClient, Client, Event, ImError, Status

from .servers import PATIENCE, Server, until
from .test_async import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOWHERE = "http://127.0.0.1:9"


def offline(**options: Any) -> Client:
    return Client(NOWHERE, "/", auto_connect=False, **options)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"auto_conect": False}, "auto_connect"),
        ({"reconection": False}, "reconnection"),
        ({"send_queue_byts": 1}, "send_queue_bytes"),
    ],
)
def test_matrix_error_unknown_option(options: dict[str, Any], named: str) -> None:
    with pytest.raises(im_client.OptionError, match=rf'unknown option "{next(iter(options))}".*"{named}"') as raised:
        Client(NOWHERE, "/", **options)
    assert raised.value.status is Status.ERROR_OPTION
    assert raised.value.name == "IM_ERROR_OPTION"
    assert isinstance(raised.value, ValueError)


def test_an_option_in_the_librarys_spelling_is_refused() -> None:
    """For its time would be milliseconds."""
    camel: Any = {"ackTimeout": 5000}
    with pytest.raises(im_client.OptionError, match=r'"ackTimeout" is ack_timeout in Python'):
        Client(NOWHERE, "/", **camel)
    manual: Any = {"delivery": "manual"}
    with pytest.raises(im_client.OptionError, match="delivery"):
        Client(NOWHERE, "/", **manual)


@pytest.mark.parametrize(
    "options",
    [
        {"ack_timeout": "5"},
        {"timeout": -1},
        {"reconnection": "yes"},
        {"query": ["token"]},
        {"send_queue_bytes": 1.5},
        {"in_flight": True},
        {"max_pause": None},
        {"ack_timeout": 10**30},
    ],
    ids=str,
)
def test_matrix_error_wrong_type_of_an_option(options: dict[str, Any]) -> None:
    with pytest.raises(im_client.OptionError, match=f'"{next(iter(options))}"'):
        Client(NOWHERE, "/", **options)


def test_a_time_of_the_wrong_type_is_told_in_pythons_unit() -> None:
    wrong: Any = "5"
    with pytest.raises(im_client.OptionError, match=r"milliseconds.*in seconds here"):
        Client(NOWHERE, "/", ack_timeout=wrong)


@pytest.mark.parametrize(
    "options",
    [{"ack_timeout": math.inf}, {"max_pause": math.nan}, {"auth": dict}, {"query": {"token": b"secret"}}],
    ids=str,
)
def test_an_option_that_is_no_json_is_named(options: dict[str, Any]) -> None:
    with pytest.raises(im_client.JsonError, match=f'"{next(iter(options))}"'):
        Client(NOWHERE, "/", **options)


def test_an_error_tells_no_secret() -> None:
    with pytest.raises(im_client.EncodingError, match='"query"') as raised:
        Client(NOWHERE, "/", query={"token": "secret", "userId": "\ud800"})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("root", [5, None, "nowhere", "ftp://x"])
def test_matrix_error_wrong_type_of_the_root(root: Any) -> None:
    with pytest.raises(im_client.OptionError, match="root"):
        Client(root, "/")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.emit(5),
        lambda client: client.emit(None, 1),
        lambda client: client.call(b"echo"),
        lambda client: client.call("echo", timeout="1"),
        lambda client: client.call("echo", timeout=-1),
        lambda client: client.submit("echo", timeout=math.nan),
        lambda client: client.flush(timeout=math.inf),
        lambda client: client.flush(timeout=True),
        # More milliseconds than the library can count.
        lambda client: client.submit("echo", timeout=1e300),
        lambda client: client.submit("echo", timeout=10**400),
        lambda client: client.events("echo").get(-1),
        lambda client: client.events("echo").get(1e300),
        lambda client: client.on(5, print),
        lambda client: client.on("a\0b", print),
        lambda client: client.on("echo", 5),
        lambda client: client.once("echo", "print"),
        lambda client: client.off(5),
        lambda client: client.events(5),
        lambda client: client.emit("echo", *(b"" for _ in range(11))),
        lambda client: client.emit("echo", {"_placeholder": True, "num": 0}),
    ],
)
def test_matrix_error_wrong_type_of_an_argument(call: Any) -> None:
    with offline() as client:
        with pytest.raises(im_client.InvalidArgumentError) as raised:
            call(client)
        assert raised.value.status is Status.ERROR_INVALID_ARGUMENT
        assert raised.value.text
        assert client.info()["sendQueue"]["packets"] == 0


def circle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, math.nan, math.inf, {(1, 2): 3}, 1j, circle()], ids=lambda value: type(value).__name__
)
def test_matrix_error_invalid_json(value: Any) -> None:
    with offline() as client:
        calls: list[Callable[[], object]] = [
            lambda: client.emit("echo", value),
            lambda: client.call("echo", 1, {"deep": [value]}),
            lambda: client.send_message(value),
            lambda: client.set_auth({"token": value}),
            lambda: client.set_query({"token": value}),
        ]
        for call in calls:
            with pytest.raises(im_client.JsonError) as raised:
                call()
            assert raised.value.status is Status.ERROR_JSON
        assert client.info()["sendQueue"]["packets"] == 0
        assert client.info()["pendingRequests"] == 0


def test_matrix_error_invalid_json_text() -> None:
    with offline() as client:
        calls: list[Callable[[], object]] = [lambda: client.emit("echo", "\ud800"), lambda: client.emit("\ud800")]
        for call in calls:
            with pytest.raises(im_client.EncodingError) as raised:
                call()
            assert raised.value.status is Status.ERROR_UTF8
        wrong: list[Any] = [[], "text", {"type": 1}, {"type": "1", "from": "a", "to": "b", "content": "c"}]
        for message in wrong:
            with pytest.raises(im_client.ImError):
                client.send_message(message)
        with pytest.raises(im_client.JsonError):
            client.set_query({"token": b"binary has no place here"})


CALLS: list[Callable[[Any], Any]] = [
    lambda client: client.emit("echo"),
    lambda client: client.on("echo", print),
    lambda client: client.once("echo", print),
    lambda client: client.on_any(print),
    lambda client: client.on_any_outgoing(print),
    lambda client: client.off("echo"),
    lambda client: client.off("echo", print),
    lambda client: client.off_any(print),
    lambda client: client.events("echo"),
    lambda client: client.open(),
    lambda client: client.close(),
    lambda client: client.destroy_socket(),
    lambda client: client.set_auth({}),
    lambda client: client.set_query({}),
    lambda client: client.network_changed(),
    lambda client: client.background(),
    lambda client: client.foreground(),
    lambda client: client.clear_send_buffer(),
    lambda client: client.state,
    lambda client: client.socket_id,
    lambda client: client.info(),
]
WAITS: list[Callable[[Any], Any]] = [
    lambda client: client.call("echo"),
    lambda client: client.send_message({"type": 1, "from": "a", "to": "b", "content": "c"}),
    lambda client: client.flush(),
]


def test_matrix_error_closed_client() -> None:
    client = offline()
    client.destroy()
    client.destroy()
    for call in CALLS + WAITS:
        with pytest.raises(im_client.ClosedError) as raised:
            call(client)
        assert raised.value.status is Status.ERROR_HANDLE
        assert raised.value.name == "IM_ERROR_HANDLE"
    assert "destroyed" in repr(client)


def test_matrix_error_closed_client_async() -> None:
    async def body() -> None:
        client = AsyncClient(NOWHERE, "/", auto_connect=False)
        client.destroy()
        client.destroy()
        for call in CALLS:
            with pytest.raises(im_client.ClosedError):
                call(client)
        for wait in WAITS:
            with pytest.raises(im_client.ClosedError):
                await wait(client)

    run(body())


# Other versions.


def load(library: str, prelude: str = "") -> subprocess.CompletedProcess[str]:
    program = (
        f"{prelude}\ntry:\n    import im_client\nexcept ImportError as error:\n    print(type(error).__name__, error)\n"
    )
    environment = {**os.environ, "IM_CLIENT_LIBRARY": library}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)


def test_matrix_error_other_version() -> None:
    """The real library, asked by a package of a later version."""
    prelude = (
        "import sys, types, importlib.util\n"
        "spec = importlib.util.find_spec('im_client')\n"
        "package = types.ModuleType('im_client'); package.__path__ = spec.submodule_search_locations\n"
        "sys.modules['im_client'] = package\n"
        "import im_client._prototypes as table\n"
        "table.VERSION_NUMBER = 10203\n"
        "del sys.modules['im_client']"
    )
    shown = load(os.environ.get("IM_CLIENT_LIBRARY", ""), prelude).stdout
    assert shown.startswith("VersionError ")
    assert "1.2.3" in shown
    assert im_client.__version__ in shown
    assert "IM_ERROR_VERSION" in shown


def test_matrix_error_other_version_that_lacks_functions(tmp_path: Path) -> None:
    source = tmp_path / "old.c"
    source.write_text(
        "int im_version_check(unsigned version) { return -18; }\n"
        'const char *im_last_error(void) { return "the program wants 0.1.0, this is 0.0.9"; }\n'
    )
    library = tmp_path / "libold.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    shown = load(str(library)).stdout
    assert shown.startswith("VersionError the program wants 0.1.0, this is 0.0.9")


def test_a_library_that_is_none(tmp_path: Path) -> None:
    none = tmp_path / "none.so"
    none.write_text("none")
    assert load(str(none)).stdout.startswith(f"ImportError {none} is no library of im_client: ")
    assert load(str(tmp_path / "missing.so")).stdout.startswith("ImportError ")
    assert "im_version_check" in load("libc.so.6").stdout


# What an error is.


def test_errors_survive_pickling() -> None:
    for status in Status:
        if status < 0:
            error = im_client.errors.error_of(status, "what happened")
            again = pickle.loads(pickle.dumps(error))
            assert type(again) is type(error) is not ImError
            assert (again.status, again.name, again.text) == (status, f"IM_{status.name}", "what happened")
    assert im_client.errors.error_of(-99, "of a later library").name == "IM_ERROR_UNKNOWN"
    refused = im_client.RefusedError(Status.ERROR_REFUSED, "no")
    refused.code = 20003
    assert pickle.loads(pickle.dumps(refused)).code == 20003


def test_what_waits_is_refused_in_a_handler(server: Server) -> None:
    told: list[Any] = []
    with Client(server.root, "/") as client:

        @client.on("burst")
        def wait(event: Event) -> None:
            waits: list[Callable[[], object]] = [
                lambda: client.call("echo"),
                lambda: client.send_message({"type": 1, "from": "a", "to": "b", "content": "c"}),
                lambda: client.flush(),
                lambda: next(client.events("echo")),
                lambda: client.submit("echo").exception(),
            ]
            for each in waits:
                try:
                    each()
                except im_client.DeadlockError as error:
                    told.append(error.name)
            told.append("next")

        client.emit("burst", 1)
        until(lambda: "next" in told)
        # And no wait was left behind.
        assert client.call("echo", 1, timeout=PATIENCE) == 1
    assert told == ["IM_ERROR_DEADLOCK"] * 5 + ["next"]


def test_a_full_queue() -> None:
    with offline(send_queue_bytes=1024) as client:
        client.emit("echo", "x" * 900)
        with pytest.raises(im_client.QueueFullError):
            client.emit("echo", "x" * 900)
        assert client.clear_send_buffer() == 1
        client.emit("echo", 1)


def test_a_lost_connection(own_server: Server) -> None:
    with Client(own_server.root, "/") as client:
        assert client.call("echo", 1, timeout=PATIENCE) == 1
        waiting = client.submit("silent")
        client.flush(PATIENCE)
        own_server.post("/control/drop")
        error = waiting.exception(PATIENCE)
        assert isinstance(error, im_client.DisconnectedError)
        assert isinstance(error, ConnectionError)


def test_an_on_error_that_fails_is_logged(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    def fail(error: BaseException, event: Event | None) -> None:
        raise ValueError(f"{error} {event and event.name}")

    with Client(server.root, "/", on_error=fail) as client:
        client.on("burst", lambda event: 1 / event.data)
        client.emit("burst", 1)
        until(lambda: caplog.records)
        assert client.call("echo", 1, timeout=PATIENCE) == 1
    assert "division by zero burst" in caplog.text


async def coroutine_function(event: Event) -> None:
    raise AssertionError(event)


def test_a_coroutine_that_nobody_would_run_is_told(server: Server) -> None:
    told: list[BaseException] = []
    with Client(server.root, "/", on_error=lambda error, event: told.append(error)) as client:
        with pytest.raises(im_client.InvalidArgumentError, match="only AsyncClient"):
            client.on("burst", coroutine_function)
        client.on("burst", lambda event: coroutine_function(event))
        client.emit("burst", 1)
        until(lambda: told)
        assert isinstance(told[0], im_client.InvalidArgumentError)


def test_a_reply_that_python_can_not_have(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past events that wait, too: the request fails, and the client goes on."""
    from im_client import _event

    def unreadable(pointer: int, raw: Any) -> list[Any]:
        raise ValueError("unreadable")

    with Client(server.root, "/") as client:
        stream = client.events("burst", limit=1)
        client.emit("burst", 2)
        until(lambda: stream.full and client.info()["receiveQueue"]["events"] == 1)
        with monkeypatch.context() as patched:
            patched.setattr(_event, "arguments_of", unreadable)
            with pytest.raises(ValueError, match="unreadable"):
                client.submit("echo", 1).result(PATIENCE)
        assert client.call("echo", 2, timeout=PATIENCE) == 2
        assert [next(stream).data, next(stream).data] == [0, 1]
