#!/usr/bin/env python3
"""Makes include/im_client/constants.hpp of bindings/abi.json; --check fails where the committed file is another."""

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
ABI = ROOT / "bindings" / "abi.json"
HEADER = ROOT / "include" / "im_client" / "constants.hpp"

TOP = """// The library's constants as C++ has them. Made by bindings/cpp/generate.py: do not edit.
#ifndef IM_CLIENT_CONSTANTS_HPP
#define IM_CLIENT_CONSTANTS_HPP

#include <cstdint>
#include <im_client.h>
#include <string_view>

namespace im {
"""
BOTTOM = """
} // namespace im

#endif
"""

# The enumeration, what its constants begin with in C, its type and what it is.
ENUMS = [
    ("Status", "IM_ERROR_", "im_status", "What a call, or a request, came to. Errors are negative."),
    ("State", "IM_STATE_", "std::int32_t", "What a client is at."),
    ("EventKind", "IM_EVENT_KIND_", "std::int32_t", "What an Event is."),
    ("LogLevel", "IM_LOG_", "std::int32_t", "How much is logged; a level includes those before it."),
    ("Code", "IM_CODE_", "int", "A business code of the server: `code` in its envelopes."),
    ("MessageType", "IM_MESSAGE_TYPE_", "int", "A message's `type`."),
    ("MessageDomain", "IM_MESSAGE_DOMAIN_", "int", "A message's `typeu`."),
]
# Statuses that are no errors.
OUTCOMES = ["IM_OK", "IM_DEFERRED", "IM_WOKEN"]


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


# What C's names are called here.
IN_CPP = [
    (r"im_client_(\w+)", lambda match: f"Client::{match[1]}"),
    (r"IM_(CODE)_…", lambda match: "Code"),
    (r"IM_ERROR_(\w+)", lambda match: f"Status::{match[1].lower()}"),
    (r"IM_EVENT_(\w+)", lambda match: f"events::{match[1].lower()}"),
    (r"IM_(CHAT_\w+)", lambda match: f"events::{match[1].lower()}"),
    (r"an im_status", lambda match: "a Status"),
]
COLUMNS = 100


def comment(meaning: str, indent: str = "") -> list[str]:
    for pattern, replacement in IN_CPP:
        meaning = re.sub(pattern, replacement, meaning)
    return textwrap.wrap(meaning, COLUMNS, initial_indent=f"{indent}/// ", subsequent_indent=f"{indent}/// ")


def enumeration(name: str, prefix: str, underlying: str, meaning: str, constants: list[dict[str, Any]]) -> str:
    members = [constant for constant in constants if constant["name"].startswith(prefix)]
    if prefix == "IM_ERROR_":
        members = [constant for constant in constants if constant["name"] in OUTCOMES] + members
    lines = ["", *comment(meaning), f"enum class {name} : {underlying} {{"]
    for member in members:
        short = member["name"].removeprefix(prefix).removeprefix("IM_").lower()
        lines += [*comment(member["meaning"], "    "), f"    {short} = {member['name']},"]
    return "\n".join([*lines, "};"]) + "\n"


def names(space: str, meaning: str, rows: list[tuple[str, str, str]]) -> str:
    """`rows`: the name in C++, its value as C++ writes it, and what it means."""
    lines = ["", *comment(meaning), f"namespace {space} {{"]
    for name, value, row_meaning in rows:
        lines += [*comment(row_meaning), f"inline constexpr std::string_view {name} = {value};"]
    return "\n".join([*lines, f"}} // namespace {space}"]) + "\n"


def header(abi: dict[str, Any]) -> str:
    events = [(row["constant"].lower(), f"IM_{row['constant']}", row["meaning"]) for row in abi["events"]]
    local = [
        (row["name"], f"IM_EVENT_{row['name'].upper()}", f"The connection's own: {row['meaning']}")
        for row in abi["localEvents"]
    ]
    options = [
        (snake(row["name"]), f'"{row["name"]}"', f"{row['type']}; default: {row['default']}. {row['meaning']}")
        for row in abi["options"]
    ]
    return (
        TOP
        + "".join(enumeration(*row, abi["constants"]) for row in ENUMS)
        + names("events", "Names of events, as they are on the wire.", [*events, *local])
        + names("options", "Names of the options of Client::create.", options)
        + BOTTOM
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file is another")
    arguments = parser.parse_args()
    text = header(json.loads(ABI.read_text()))
    if not arguments.check:
        HEADER.write_text(text)
    elif not HEADER.is_file() or HEADER.read_text() != text:
        print(f"{HEADER} is not what {ABI} makes: run bindings/cpp/generate.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
