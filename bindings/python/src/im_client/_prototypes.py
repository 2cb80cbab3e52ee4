"""The functions of the C library, as ctypes has to know them.

Made by generate.py from bindings/abi.json. Do not edit.
"""

from __future__ import annotations

from ctypes import POINTER, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Final

from ._types import AckFunction, Blob, EventFunction, FreeFunction, LogFunction

VERSION_MAJOR: Final = 0
VERSION_MINOR: Final = 1
VERSION_PATCH: Final = 0
LOG_OFF: Final = 0
LOG_ERROR: Final = 1
LOG_WARN: Final = 2
LOG_INFO: Final = 3
LOG_DEBUG: Final = 4
LOG_TRACE: Final = 5
EMIT_VOLATILE: Final = 1
SUBSCRIBE_ONCE: Final = 1
SUBSCRIBE_OUTGOING: Final = 2
VERSION_NUMBER: Final = VERSION_MAJOR * 10000 + VERSION_MINOR * 100 + VERSION_PATCH

#: Name, result, parameters. A `char *` is an address, for it has to be freed.
PROTOTYPES: list[tuple[str, Any, list[Any]]] = [
    ("im_client_new", c_uint64, [c_char_p]),
    ("im_client_open", c_int32, [c_uint64]),
    ("im_client_close", c_int32, [c_uint64]),
    ("im_client_destroy_socket", c_int32, [c_uint64]),
    ("im_client_destroy", c_int32, [c_uint64]),
    ("im_client_destroy_async", c_int32, [c_uint64, FreeFunction, c_void_p]),
    ("im_client_state", c_int32, [c_uint64]),
    ("im_client_socket_id", c_void_p, [c_uint64]),
    ("im_client_info", c_void_p, [c_uint64]),
    ("im_client_set_auth", c_int32, [c_uint64, c_char_p]),
    ("im_client_set_query", c_int32, [c_uint64, c_char_p]),
    ("im_client_answer", c_int32, [c_uint64, c_int64, c_char_p]),
    ("im_client_emit", c_int32, [c_uint64, c_char_p, c_char_p]),
    ("im_client_emit_args", c_int32, [c_uint64, c_char_p, c_size_t, c_char_p, c_size_t, POINTER(Blob), c_size_t, c_uint32]),
    ("im_client_emit_with_ack", c_int64, [c_uint64, c_char_p, c_char_p, c_int64, AckFunction, c_void_p]),
    ("im_client_emit_args_with_ack", c_int64, [c_uint64, c_char_p, c_size_t, c_char_p, c_size_t, POINTER(Blob), c_size_t, c_uint32, c_int64, AckFunction, c_void_p, FreeFunction]),
    ("im_client_cancel", c_int32, [c_uint64, c_int64]),
    ("im_client_reply", c_int32, [c_uint64, c_uint64, c_char_p]),
    ("im_client_reply_args", c_int32, [c_uint64, c_uint64, c_char_p, c_size_t, POINTER(Blob), c_size_t]),
    ("im_client_clear_send_buffer", c_int64, [c_uint64]),
    ("im_client_flush", c_int32, [c_uint64, c_int64]),
    ("im_event_retain", c_void_p, [c_void_p]),
    ("im_event_release", None, [c_void_p]),
    ("im_event_discard", None, [c_void_p]),
    ("im_event_reply", c_int32, [c_void_p, c_char_p]),
    ("im_event_args", c_char_p, [c_void_p]),
    ("im_event_blob", c_int32, [c_void_p, c_size_t, POINTER(Blob)]),
    ("im_version_number", c_uint32, []),
    ("im_version_string", c_char_p, []),
    ("im_version_check", c_int32, [c_uint32]),
    ("im_status_name", c_char_p, [c_int32]),
    ("im_status_text", c_char_p, [c_int32]),
    ("im_last_error", c_char_p, []),
    ("im_last_status", c_int32, []),
    ("im_client_count", c_size_t, []),
    ("im_shutdown", c_int32, [c_int64]),
    ("im_string_free", None, [c_void_p]),
    ("im_set_log_callback", c_int32, [c_int32, LogFunction, c_void_p, FreeFunction]),
    ("im_message_create", c_void_p, [c_char_p]),
    ("im_client_send_message", c_int64, [c_uint64, c_char_p, c_int64, AckFunction, c_void_p]),
    ("im_timeline_id", c_void_p, [c_char_p, c_char_p]),
    ("im_messages_unique", c_void_p, [c_char_p]),
    ("im_client_network_changed", c_int32, [c_uint64]),
    ("im_client_background", c_int32, [c_uint64]),
    ("im_client_foreground", c_int32, [c_uint64]),
    ("im_client_poll", c_int32, [c_uint64, c_int64, POINTER(c_void_p)]),
    ("im_client_poll_outcome", c_int32, [c_uint64, c_int64, POINTER(c_void_p)]),
    ("im_client_dispatch", c_int32, [c_uint64, c_int64, c_uint32]),
    ("im_client_wake", c_int32, [c_uint64]),
    ("im_client_wake_fd", c_int32, [c_uint64]),
    ("im_client_on", c_int64, [c_uint64, c_char_p, EventFunction, c_void_p]),
    ("im_client_once", c_int64, [c_uint64, c_char_p, EventFunction, c_void_p]),
    ("im_client_on_any", c_int64, [c_uint64, EventFunction, c_void_p]),
    ("im_client_on_any_outgoing", c_int64, [c_uint64, EventFunction, c_void_p]),
    ("im_client_subscribe", c_int64, [c_uint64, c_char_p, c_uint32, EventFunction, c_void_p, FreeFunction]),
    ("im_client_off", c_int32, [c_uint64, c_int64]),
    ("im_client_off_event", c_int32, [c_uint64, c_char_p]),
]
