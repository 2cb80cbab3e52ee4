"""The types of the C library, as ctypes has to know them."""

from ctypes import CFUNCTYPE, Structure, c_char_p, c_int32, c_int64, c_size_t, c_uint64, c_void_p


class Blob(Structure):
    """`im_blob`."""

    _fields_ = [("data", c_void_p), ("len", c_size_t)]


class RawEvent(Structure):
    """`im_event`."""

    _fields_ = [
        ("size", c_size_t),
        ("client", c_uint64),
        ("kind", c_int32),
        ("name", c_char_p),
        ("name_len", c_size_t),
        ("json", c_char_p),
        ("json_len", c_size_t),
        ("ack_id", c_uint64),
        ("request", c_int64),
        ("status", c_int32),
        ("blob_count", c_size_t),
    ]


# Events come as addresses: a callback's pointer object would cost more than reading the few fields that are needed.
EventFunction = CFUNCTYPE(None, c_void_p, c_void_p)
AckFunction = CFUNCTYPE(None, c_int32, c_void_p, c_void_p)
FreeFunction = CFUNCTYPE(None, c_void_p)
LogFunction = CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
