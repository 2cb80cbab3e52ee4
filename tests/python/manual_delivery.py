"""Manual delivery in a host with an interpreter: all user code runs on the thread in dispatch, in poll or in destroy.

Usage: manual_delivery.py LIBRARY ROOT CASE
"""

import asyncio
import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable

EVENT_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
ACK_FN = ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
FREE_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
HANDLE, TEXT, LONG = ctypes.c_uint64, ctypes.c_char_p, ctypes.c_int64
IM_ERROR_TIMEOUT, IM_ERROR_CANCELED, IM_DEFERRED, IM_ERROR_HANDLE = -8, -9, 1, -2
PATIENCE = 20.0

library = ctypes.CDLL(sys.argv[1])
root = sys.argv[2]
for name, result, arguments in [
    ("im_client_new", HANDLE, [TEXT]),
    ("im_client_destroy", ctypes.c_int32, [HANDLE]),
    ("im_client_subscribe", LONG, [HANDLE, TEXT, ctypes.c_uint32, EVENT_FN, ctypes.c_void_p, FREE_FN]),
    ("im_client_emit", ctypes.c_int32, [HANDLE, TEXT, TEXT]),
    ("im_client_emit_with_ack", LONG, [HANDLE, TEXT, TEXT, LONG, ACK_FN, ctypes.c_void_p]),
    ("im_client_poll", ctypes.c_int32, [HANDLE, LONG, ctypes.POINTER(ctypes.c_void_p)]),
    ("im_client_dispatch", ctypes.c_int32, [HANDLE, LONG, ctypes.c_uint32]),
    ("im_client_wake", ctypes.c_int32, [HANDLE]),
    ("im_client_wake_fd", ctypes.c_int32, [HANDLE]),
    ("im_client_count", ctypes.c_size_t, []),
    ("im_shutdown", ctypes.c_int32, [LONG]),
]:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments

kept: list[object] = []  # What the library may still call.
calls: dict[str, int] = {}
threads: set[int] = set()


def note(what: str) -> None:
    calls[what] = calls.get(what, 0) + 1
    threads.add(threading.get_ident())


def keep(made: Callable[..., object]) -> Callable[..., object]:
    kept.append(made)
    return made


on_event = EVENT_FN(lambda event, data: note("event"))
on_ack = ACK_FN(lambda status, reply, data: note(f"ack {status}"))
on_free = FREE_FN(lambda data: note("free"))
kept += [on_event, on_ack, on_free]


def new_client() -> int:
    client: int = library.im_client_new(f'{{"root":"{root}","nsp":"/","delivery":"manual"}}'.encode())
    assert client != 0
    assert library.im_client_subscribe(client, b"burst", 0, on_event, None, on_free) > 0
    return client


async def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, calls
        await asyncio.sleep(0.001)


async def many_clients_in_asyncio() -> None:
    """Many clients, callbacks on the loop's thread alone, and a wake from another thread."""
    loop, many, each = asyncio.get_running_loop(), 8, 500
    clients = [new_client() for _ in range(many)]
    woken: list[int] = []

    def take(client: int) -> None:
        if library.im_client_dispatch(client, 0, 32) == 0:
            woken.append(client)

    for client in clients:
        loop.add_reader(library.im_client_wake_fd(client), take, client)
        assert library.im_client_emit(client, b"burst", str(each).encode()) == 0
        assert library.im_client_emit_with_ack(client, b"echo", b"1", 0, on_ack, None) > 0
        assert library.im_client_emit_with_ack(client, b"silent", b"1", 0, on_ack, None) > 0
    await until(lambda: calls.get("event") == many * each and calls.get("ack 0") == many)
    waker = threading.Thread(target=library.im_client_wake, args=(clients[3],))
    waker.start()
    await until(lambda: woken == [clients[3]])
    waker.join()
    for client in clients:
        loop.remove_reader(library.im_client_wake_fd(client))
        assert library.im_client_destroy(client) == 0
    assert calls[f"ack {IM_ERROR_CANCELED}"] == many
    assert calls["free"] == many


async def destroyed_in_a_callback() -> None:
    """What a destroy in a callback leaves to do is done on this thread, when dispatch returns."""
    client = new_client()
    destroyed: list[int] = []
    strike = EVENT_FN(lambda event, data: destroyed.append(library.im_client_destroy(client)))
    keep(strike)
    assert library.im_client_subscribe(client, b"connect", 0, strike, None, on_free) > 0
    assert library.im_client_emit_with_ack(client, b"silent", b"1", 0, on_ack, None) > 0
    assert library.im_client_dispatch(client, -1, 0) == IM_ERROR_HANDLE
    assert destroyed == [IM_DEFERRED]
    assert calls == {f"ack {IM_ERROR_CANCELED}": 1, "free": 2}
    assert library.im_client_count() == 0


async def shut_down() -> None:
    """So is what im_shutdown leaves to do."""
    clients = [new_client() for _ in range(5)]
    for client in clients:
        assert library.im_client_emit_with_ack(client, b"silent", b"1", 0, on_ack, None) > 0
    assert library.im_shutdown(20_000) == 0
    assert calls == {f"ack {IM_ERROR_CANCELED}": 5, "free": 5}


async def exit_with_live_clients() -> None:
    """Nothing enters an interpreter that is going: no im_shutdown is needed, nor a destroy."""
    client, polled = new_client(), new_client()
    event = ctypes.c_void_p()
    for each in (client, polled):
        assert library.im_client_emit(each, b"burst", b"5000") == 0
    # A daemon thread in a poll without end.
    threading.Thread(target=library.im_client_poll, args=(new_client(), -1, ctypes.byref(event)), daemon=True).start()
    while calls.get("event", 0) < 100:
        called = library.im_client_dispatch(client, 1000, 50)
        assert called >= 0 or called == IM_ERROR_TIMEOUT
    assert library.im_client_poll(polled, 10_000, ctypes.byref(event)) == 0


CASES = [many_clients_in_asyncio, destroyed_in_a_callback, shut_down, exit_with_live_clients]


def main() -> None:
    case = next(case for case in CASES if case.__name__ == sys.argv[3])
    asyncio.run(case())
    assert threads <= {threading.get_ident()}, f"user code ran on {len(threads)} threads"
    print(f"ok {case.__name__} {os.getpid()}")


main()
