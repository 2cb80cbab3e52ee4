"""Python's values as JSON and blobs, and back."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring
from typing import Any

from ._library import brief, library, utf8
from ._types import Blob, RawEvent
from .constants import Status
from .errors import ImError, JsonError

# What JSONEncoder.encode makes for each call. None where the interpreter has it not.
_encoder_in_c: Callable[..., Callable[[Any, int], Iterable[str]]] | None = getattr(json.encoder, "c_make_encoder", None)
_decode = json.JSONDecoder().raw_decode


class Encoded:
    """Arguments as the library takes them: a JSON array, with a placeholder where a binary value stands."""

    __slots__ = ("_kept", "blobs", "count", "text")

    def __init__(self, args: Iterable[Any]) -> None:
        self._kept: list[bytes] = []
        self.text = dump(list(args), self._keep)
        self.count = len(self._kept)
        # The array points into the bytes, which are kept as long as it is.
        blobs = [Blob(ctypes.cast(ctypes.c_char_p(each), ctypes.c_void_p), len(each)) for each in self._kept]
        self.blobs = (Blob * self.count)(*blobs) if blobs else None

    def _keep(self, value: object) -> dict[str, Any]:
        """What json.dumps asks for a value that it does not know."""
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"{type(value).__name__} can't be made JSON")
        self._kept.append(bytes(value))
        return {"_placeholder": True, "num": len(self._kept) - 1}


def _no_binary(value: object) -> Any:
    raise TypeError(f"{type(value).__name__} can't be made JSON here")


def json_text(value: Any, default: Callable[[Any], Any] = _no_binary) -> str:
    if _encoder_in_c is None:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default)
    # The same, which takes twice as long as a message's encoding: JSONEncoder is made for other options, too.
    encode = _encoder_in_c({}, default, encode_basestring, None, ":", ",", False, False, False)
    return "".join(encode(value, 0))


def dump(value: Any, default: Callable[[Any], Any] = _no_binary) -> bytes:
    try:
        return utf8(json_text(value, default))
    except ImError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise JsonError(Status.ERROR_JSON, str(error) or type(error).__name__) from error


def arguments_of(pointer: int, raw: RawEvent) -> list[Any]:
    """All arguments of an event, its blobs in their places."""
    text: bytes = brief.im_event_args(pointer)
    if not raw.blob_count:
        # json.loads looks for encodings and white space that the library's text has not: half of its time.
        values: list[Any] = _decode(text.decode())[0]
        return values
    blobs = [_blob(pointer, index) for index in range(raw.blob_count)]

    def fill(value: dict[str, Any]) -> Any:
        return blobs[value["num"]] if value.get("_placeholder") is True else value

    filled: list[Any] = json.loads(text, object_hook=fill)
    return filled


def _blob(pointer: int, index: int) -> bytes:
    blob = Blob()
    library.im_event_blob(pointer, index, ctypes.byref(blob))
    return ctypes.string_at(blob.data, blob.len) if blob.len else b""
