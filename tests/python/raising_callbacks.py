"""Callbacks that raise, each of them: ctypes prints the exception, and the client does not notice.

Usage: raising_callbacks.py LIBRARY ROOT
"""

import ctypes
import json
import sys
import time
from collections.abc import Callable

EVENT_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
ACK_FN = ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
HANDLE, TEXT, LONG = ctypes.c_uint64, ctypes.c_char_p, ctypes.c_int64
PATIENCE = 20.0
EVENTS, ANSWERS = 100, 20

library = ctypes.CDLL(sys.argv[1])
for name, result, arguments in [
    ("im_client_new", HANDLE, [TEXT]),
    ("im_client_destroy", ctypes.c_int32, [HANDLE]),
    ("im_client_on", LONG, [HANDLE, TEXT, EVENT_FN, ctypes.c_void_p]),
    ("im_client_emit", ctypes.c_int32, [HANDLE, TEXT, TEXT]),
    ("im_client_emit_with_ack", LONG, [HANDLE, TEXT, TEXT, LONG, ACK_FN, ctypes.c_void_p]),
    ("im_client_info", ctypes.c_void_p, [HANDLE]),
    ("im_string_free", None, [ctypes.c_void_p]),
    ("im_shutdown", ctypes.c_int32, [LONG]),
]:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments

events = answers = 0


def on_event(event: int, data: int) -> None:
    global events
    events += 1
    raise RuntimeError("on purpose")


def on_answer(status: int, reply: int, data: int) -> None:
    global answers
    answers += status == 0
    raise RuntimeError("on purpose")


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"{events} events, {answers} answers"
        time.sleep(0.002)


def connections(client: int) -> int:
    info = library.im_client_info(client)
    count: int = json.loads(ctypes.string_at(info))["connections"]
    library.im_string_free(info)
    return count


def main() -> None:
    # Kept: what the library may still call.
    event_fn, ack_fn = EVENT_FN(on_event), ACK_FN(on_answer)
    client = library.im_client_new(json.dumps({"root": sys.argv[2], "nsp": "/"}).encode())
    assert client != 0
    assert library.im_client_on(client, b"burst", event_fn, None) > 0
    for _ in range(ANSWERS):
        assert library.im_client_emit(client, b"burst", str(EVENTS // ANSWERS).encode()) == 0
        assert library.im_client_emit_with_ack(client, b"echo", b"1", 0, ack_fn, None) > 0
    until(lambda: events == EVENTS and answers == ANSWERS)
    print(f"ok {events} events, {answers} answers, {connections(client)} connection")
    assert library.im_client_destroy(client) == 0
    assert library.im_shutdown(20_000) == 0


main()
