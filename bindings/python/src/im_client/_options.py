"""Keyword arguments as the library's options."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from ._options_table import NAMES, TIMES
from ._values import dump
from .constants import Status
from .errors import ImError, OptionError, error_of

#: Given a function instead of True, these are answered by it.
_ASKING = {"ask_auth": "auth", "ask_query": "query"}

Asked = dict[str, Callable[[int], Any]]


def options_json(root: object, nsp: object, options: dict[str, Any]) -> tuple[bytes, Asked]:
    """What im_client_new takes, and who answers which question."""
    asked: Asked = {}
    # Manual delivery: handlers run on threads of Python's own, which an interpreter that ends knows how to leave.
    named: dict[str, Any] = {"root": root, "nsp": nsp, "delivery": "manual"}
    for keyword, value in options.items():
        if keyword in _ASKING and callable(value):
            asked[_ASKING[keyword]] = value
            value = True
        named[_name(keyword)] = _milliseconds(value) if keyword in TIMES else value
    return b"{%s}" % b",".join(dump(name) + b":" + _dump_option(name, value) for name, value in named.items()), asked


def _dump_option(name: str, value: Any) -> bytes:
    try:
        return dump(value)
    except ImError as error:
        raise error_of(error.status, in_pythons_names(f'the option "{name}": {error.text}', ())) from error


def in_pythons_names(text: str, options: Iterable[str]) -> str:
    """What the library says of options, with the names that they have here."""
    pythons = {_name(each): each for each in options} | {library: python for python, library in NAMES.items()}
    named = re.sub(r'"(\w+)"', lambda quoted: f'"{pythons.get(quoted[1], quoted[1])}"', text)
    return f"{named}, given in seconds here" if "milliseconds" in named else named


def _name(keyword: str) -> str:
    """An unknown one goes to the library, which knows the nearest."""
    if keyword in NAMES:
        return NAMES[keyword]
    if keyword == "delivery":
        raise OptionError(
            Status.ERROR_OPTION, "delivery is this package's business: Client has handlers, AsyncClient a loop"
        )
    for python, library in NAMES.items():
        if keyword == library:
            raise OptionError(
                Status.ERROR_OPTION, f'the option "{keyword}" is {python} in Python, and times are seconds'
            )
    head, *rest = keyword.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _milliseconds(value: Any) -> Any:
    """Seconds are milliseconds in the library. What is no number goes there as it is, to be refused by its name."""
    if isinstance(value, float) and math.isfinite(value * 1000):
        return round(value * 1000)
    return value * 1000 if isinstance(value, int) and not isinstance(value, bool) else value
