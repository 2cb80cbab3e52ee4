"""Python's values as JSON and blobs, and back."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterable
from typing import Any

from ._library import library, utf8
from ._types import Blob, RawEvent
from .constants import Status
from .errors import ImError, JsonError


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


def dump(value: Any, default: Any = _no_binary) -> bytes:
    try:
        return utf8(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default))
    except ImError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise JsonError(Status.ERROR_JSON, str(error) or type(error).__name__) from error


def arguments_of(pointer: int, raw: RawEvent) -> list[Any]:
    """All arguments of an event, its blobs in their places."""
    text = library.im_event_args(pointer)
    if not raw.blob_count:
        values: list[Any] = json.loads(text)
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
