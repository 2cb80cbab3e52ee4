"""The C library: found, checked to be of this package's version, its functions declared."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from ._prototypes import PROTOTYPES, VERSION_NUMBER
from .errors import error_of, invalid

#: These neither wait nor call back, so they keep the interpreter's lock: to give it away and to get it again costs more
#: than they do, and hands the turn to another thread in the middle of what would be done at once.
_BRIEF = {"im_event_args", "im_client_wake"}
#: Names another library than the one in the package: for those who develop it.
PATH_VARIABLE = "IM_CLIENT_LIBRARY"
_FILES = {"darwin": "libim_client.dylib", "win32": "im_client.dll"}


def _path() -> str:
    chosen = os.environ.get(PATH_VARIABLE)
    if chosen:
        return chosen
    packaged = Path(__file__).with_name(_FILES.get(sys.platform, "libim_client.so"))
    if not packaged.exists():
        raise ImportError(f"{packaged} is missing: install the wheel, or name a library in {PATH_VARIABLE}")
    return str(packaged)


def _declare(loaded: ctypes.CDLL, names: set[str] | None = None) -> None:
    for name, result, arguments in PROTOTYPES:
        if names is None or name in names:
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments


def _load() -> ctypes.CDLL:
    # CDLL gives the interpreter's lock away during a call; with PyDLL destroy() and a handler wait for each other.
    path = _path()
    try:
        loaded = ctypes.CDLL(path)
        # An older library may lack the others.
        _declare(loaded, {"im_version_check", "im_last_error"})
    except (OSError, AttributeError) as error:
        raise ImportError(f"{path} is no library of im_client: {error}") from error
    status = loaded.im_version_check(VERSION_NUMBER)
    if status < 0:
        raise error_of(status, f"{loaded.im_last_error().decode()} (library: {path})")
    _declare(loaded)
    return loaded


def _keeping_the_lock(loaded: ctypes.CDLL) -> ctypes.PyDLL:
    same = ctypes.PyDLL(loaded._name, handle=loaded._handle)
    _declare(same, _BRIEF)
    return same


library = _load()
brief = _keeping_the_lock(library)


def last_error() -> str:
    """This thread's last failure, in words."""
    text: bytes = library.im_last_error()
    return text.decode()


def check(status: int) -> int:
    """A result that is no failure, or the failure as an exception."""
    if status < 0:
        raise error_of(status, last_error())
    return status


def c_text(value: object, argument: str) -> bytes:
    """A text for C, where it ends with a NUL."""
    if not isinstance(value, str):
        raise invalid(f'the argument "{argument}" is {type(value).__name__}, not a str')
    if "\0" in value:
        raise invalid(f'the argument "{argument}" has a NUL')
    return utf8(value)


def utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        from .constants import Status

        raise error_of(
            Status.ERROR_UTF8, f"{value[error.start]!r} is half of a surrogate pair, and no valid text"
        ) from error


def take_text(address: int | None) -> str:
    """The text behind a `char *` of the library, which is freed; NULL is a failure."""
    if not address:
        raise error_of(library.im_last_status(), last_error())
    try:
        return ctypes.string_at(address).decode()
    finally:
        library.im_string_free(address)
