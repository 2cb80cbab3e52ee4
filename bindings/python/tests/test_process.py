"""The ends of a process and of a client: exit, fork, multiprocessing, garbage. Each in a process of its own."""

from __future__ import annotations

import functools
import gc
import subprocess
import sys
import textwrap
import threading
import weakref
from typing import Any

import pytest

import im_client
from im_client import Client, Event

from .servers import PATIENCE, Server, until

# What was a crash once in a while has to be seen once in a while.
TIMES = 4

PRELUDE = """
import asyncio, gc, multiprocessing, os, signal, sys, threading, time, warnings
import im_client
from im_client import AsyncClient, Client

ROOT = sys.argv[1]
# Python's own word from 3.12 on about every fork with threads; that it goes well is what is tested here.
warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
# Whoever starts the tests in the background of a script has them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def flooded():
    client = Client(ROOT, "/")
    heard = threading.Event()
    client.on("burst", lambda event: heard.set())
    for _ in range(3):
        client.emit("burst", 1000)
    assert heard.wait(30)
    return client


def wait_for(child):
    status = os.waitpid(child, 0)[1]
    assert status == 0, status

"""


def run(program: str, server: Server) -> str:
    """What the program prints, once it has ended well and without a word of complaint."""
    text = PRELUDE + textwrap.dedent(program)
    command = [sys.executable, "-c", text, server.root]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


EXITS = {
    "in a flood": "client = flooded()",
    "with a handler that runs": """
        client = flooded()
        client.on("burst", lambda event: time.sleep(0.3))
        time.sleep(0.1)
        """,
    "with a daemon thread that waits": """
        client = flooded()
        stream = client.events("never")
        threading.Thread(target=client.call, args=("silent",), daemon=True).start()
        threading.Thread(target=stream.get, daemon=True).start()
        while client.info()["pendingRequests"] == 0:
            time.sleep(0.01)
        """,
    "with a log": """
        import logging
        logging.basicConfig(level=1, stream=open(os.devnull, "w"))
        client = flooded()
        """,
    "by sys.exit in the middle": """
        clients = [flooded() for _ in range(3)]
        sys.exit(0)
        """,
    "with asyncio": """
        async def main():
            global client
            client = AsyncClient(ROOT, "/")
            client.emit("burst", 5000)
            async for _ in client.events("burst"):
                break
        asyncio.run(main())
        """,
}


@pytest.mark.parametrize("program", EXITS.values(), ids=EXITS.keys())
def test_matrix_exit_with_live_client(server: Server, program: str) -> None:
    for _ in range(TIMES):
        assert run(program, server) == ""


def test_ctrl_c_ends_a_call(server: Server) -> None:
    program = """
        client = flooded()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            client.call("silent")
        except KeyboardInterrupt:
            while client.info()["canceledRequests"] != 1:
                time.sleep(0.01)
            print("interrupted")
        """
    assert run(program, server) == "interrupted\n"


def test_ctrl_c_ends_a_flush(server: Server) -> None:
    program = """
        client = Client("http://127.0.0.1:9", "/", auto_connect=False)
        client.emit("echo")
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            client.flush()
        except KeyboardInterrupt:
            print("interrupted")
        """
    assert run(program, server) == "interrupted\n"


def test_flush_at_exit(server: Server) -> None:
    """When the interpreter starts no threads any more."""
    program = """
        import atexit
        client = Client(ROOT, "/")
        atexit.register(lambda: (client.emit("echo", 1), client.flush(), print("flushed")))
        """
    assert run(program, server) == "flushed\n"


def test_fork_leaves_the_parents_client_to_the_parent(server: Server) -> None:
    program = """
        client = flooded()
        waiting, stream = client.submit("silent"), client.events("never")
        child = os.fork()
        if child == 0:
            for call in (lambda: client.emit("echo"), lambda: client.call("echo"), waiting.result, stream.get):
                try:
                    call()
                except im_client.ForkedError as error:
                    assert error.name == "IM_ERROR_FORKED"
                else:
                    raise AssertionError("no error")
            client.destroy()
            with Client(ROOT, "/") as own:
                assert own.call("echo", "child") == "child"
            del client, waiting, stream
            gc.collect()
            sys.exit(0)
        wait_for(child)
        assert client.call("echo", "parent") == "parent"
        client.destroy()
        """
    for _ in range(TIMES):
        assert run(program, server) == ""


def test_fork_of_a_with_block_exits_cleanly(server: Server) -> None:
    program = """
        with Client(ROOT, "/") as client:
            assert client.call("echo", 1) == 1
            child = os.fork()
            if child == 0:
                sys.exit(0)
            wait_for(child)
            assert client.call("echo", 2) == 2
        """
    for _ in range(TIMES):
        assert run(program, server) == ""


def test_fork_in_a_handler(server: Server) -> None:
    program = """
        children = []
        done = threading.Event()
        with Client(ROOT, "/") as client:
            @client.once("burst")
            def fork(event):
                child = os.fork()
                if child == 0:
                    with Client(ROOT, "/") as own:
                        assert own.call("echo", "child") == "child"
                    os._exit(0)
                children.append(child)
                done.set()
            client.emit("burst", 1)
            assert done.wait(30)
            assert client.call("echo", "parent") == "parent"
        wait_for(children[0])
        """
    assert run(program, server) == ""


def test_a_child_that_returns_from_a_handler_is_ended_and_told(server: Server) -> None:
    program = """
        statuses = []
        done = threading.Event()
        reading, writing = os.pipe()
        with Client(ROOT, "/") as client:
            @client.once("burst")
            def fork(event):
                child = os.fork()
                if child == 0:
                    os.dup2(writing, 2)
                    return
                statuses.append(os.waitpid(child, 0)[1])
                done.set()
            client.emit("burst", 1)
            assert done.wait(30)
        assert statuses == [1 << 8], statuses
        assert b"forked inside a handler" in os.read(reading, 1000)
        """
    assert run(program, server) == ""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(server: Server, method: str, tmp_path: Any) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        PRELUDE
        + textwrap.dedent(
            f"""
            def ask(number):
                with Client(ROOT, "/") as client:
                    return client.call("echo", number)

            def fail(number):
                with Client(ROOT, "/") as client:
                    client.call("silent", timeout=0.01)

            if __name__ == "__main__":
                here = flooded()
                with multiprocessing.get_context("{method}").Pool(2) as pool:
                    assert pool.map(ask, range(4)) == list(range(4))
                    try:
                        pool.apply(fail, (0,))
                    except im_client.RequestTimeoutError as error:
                        assert error.name == "IM_ERROR_TIMEOUT"
                    pool.close()
                    pool.join()
                assert here.call("echo", "parent") == "parent"
            """
        )
    )
    command = [sys.executable, str(program), server.root]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# Garbage.


def test_matrix_error_in_finalizer(server: Server) -> None:
    """A client that is forgotten is given back, with handlers that refer to it, and a request that waits."""
    client = Client(server.root, "/")
    client.on("burst", functools.partial(client.emit, "echo"))
    client.submit("silent")
    assert client.call("echo", 1, timeout=PATIENCE) == 1
    gone = weakref.ref(client)
    del client
    with pytest.warns(ResourceWarning, match="was not destroyed"):
        gc.collect()
    assert gone() is None
    until(lambda: im_client.client_count() == 0)
    until(lambda: not [each for each in threading.enumerate() if each.name.startswith("im_client")])


class Holder:
    """Uses its client in its finalizer."""

    def __init__(self, client: Client, seen: list[str]) -> None:
        self.client = client
        self.seen = seen

    def hear(self, event: Event) -> None:
        self.seen.append(event.name)

    def __del__(self) -> None:
        self._try("alive")
        self.client.destroy()
        self._try("destroyed")

    def _try(self, when: str) -> None:
        try:
            self.client.emit("echo", "from a finalizer")
            self.seen.append(when)
        except im_client.ClosedError as error:
            self.seen.append(f"{when} {error.name}")


def test_matrix_error_in_finalizer_calls_are_safe(server: Server) -> None:
    for _ in range(5):
        seen: list[str] = []
        holder = Holder(Client(server.root, "/"), seen)
        del holder
        assert seen == ["alive", "destroyed IM_ERROR_HANDLE"]


@pytest.mark.filterwarnings("ignore:.*was not destroyed:ResourceWarning")
def test_matrix_error_in_finalizer_calls_are_safe_in_garbage(server: Server) -> None:
    """The collector may have given the client back before it calls the finalizer."""
    for _ in range(5):
        seen: list[str] = []
        holder = Holder(Client(server.root, "/"), seen)
        holder.client.on("burst", holder.hear)
        del holder
        gc.collect()
        assert seen[0] in ("alive", "alive IM_ERROR_HANDLE")
        assert seen[1:] == ["destroyed IM_ERROR_HANDLE"]


@pytest.mark.filterwarnings("ignore:.*was not destroyed:ResourceWarning")
def test_a_client_is_given_back_in_the_middle_of_its_events(server: Server) -> None:
    """The collector runs on the client's own thread, on others, and inside its own calls."""
    for _ in range(5):
        client = Client(server.root, "/")
        heard = threading.Event()

        @client.on("burst")
        def hear(_: Event, heard: threading.Event = heard) -> None:
            heard.set()
            gc.collect()

        client.emit("burst", 20)
        assert heard.wait(PATIENCE)
        del client, hear

        def given_back() -> bool:
            # One that finds another thread's at work does nothing.
            gc.collect()
            return im_client.client_count() == 0

        until(given_back)


def test_nothing_leaks(server: Server) -> None:
    """Clients, streams, handlers and requests leave nothing behind in the package's own tables."""
    from im_client import _callbacks

    before = len(_callbacks.targets)
    for _ in range(20):
        with Client(server.root, "/") as client:
            client.on("burst", print)
            client.once("echo", lambda _: None)
            client.events("burst", "echo")
            assert client.call("echo", 1, timeout=PATIENCE) == 1
            client.submit("silent")
            for event in client.events("connect"):
                assert event.name == "connect"
                break
    until(lambda: len(_callbacks.targets) == before)
