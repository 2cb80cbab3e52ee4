"""Messages, and what a conversation is called."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from ._library import c_text, library, take_text
from ._values import dump

#: What send_message() takes. `type`, `from`, `to` and `content` are needed, the rest is added where it is missing.
Message = TypedDict(
    "Message",
    {"type": int, "from": str, "to": str, "content": str, "typeu": int, "fp": str, "time": int},
    total=False,
)


def create_message(message: Message | Mapping[str, Any]) -> dict[str, Any]:
    """The message with a random fingerprint `fp`, `typeu` 1 (one to one) and the time, where they are missing."""
    made: dict[str, Any] = json.loads(take_text(library.im_message_create(dump(message))))
    return made


def timeline_id(sender: str, receiver: str) -> str:
    """The id of a conversation's direction."""
    return take_text(library.im_timeline_id(c_text(sender, "sender"), c_text(receiver, "receiver")))


def unique_messages(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages without the later copies of the same."""
    unique: list[dict[str, Any]] = json.loads(take_text(library.im_messages_unique(dump(list(messages)))))
    return unique
