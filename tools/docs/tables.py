#!/usr/bin/env python3
"""Writes the reference pages of the documentation from bindings/abi.json and the header, or compares them (--check)."""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "docs" / "reference"
MADE = "<!-- Made by tools/docs/tables.py from the tables of the library. Do not edit. -->\n\n"

# The header's order of functions is that of its files; readers look for them by what they are for.
GROUPS = {
    "Life of a client": "new open close destroy_socket destroy destroy_async",
    "Subscriptions": "on once on_any on_any_outgoing subscribe off off_event",
    "Sending": "emit emit_args emit_with_ack emit_args_with_ack cancel reply reply_args clear_send_buffer flush",
    "State": "state socket_id info",
    "Credentials": "set_auth set_query answer",
    "Pulling events": "poll poll_outcome dispatch wake wake_fd",
    "Phones": "network_changed background foreground",
}
OTHER_GROUPS = {
    "Events in hand": "im_event_",
    "IM messages": "im_client_send_message im_message im_timeline im_messages",
    "The library": "im_version im_status im_last im_client_count im_shutdown im_string im_set_log",
}


def cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(head: list[str], rows: Iterable[Sequence[object]]) -> str:
    lines: list[Sequence[object]] = [[*head], ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(cell, line)) + " |\n" for line in lines)


def constants(abi: dict[str, Any], pattern: str) -> str:
    found = [entry for entry in abi["constants"] if re.fullmatch(pattern, entry["name"])]
    if not found:
        raise ValueError(f"no constant is like {pattern}")
    return table(["constant", "value", "meaning"], [[f"`{c['name']}`", f"`{c['value']}`", c["meaning"]] for c in found])


def options(abi: dict[str, Any]) -> str:
    rows = [[f"`{o['name']}`", o["type"], o["default"], o["meaning"]] for o in abi["options"]]
    return (
        "# Options\n\n`im_client_new` takes a JSON object. `root` and `nsp` are required. An unknown option is an error that"
        " names the nearest known one.\nOptions of `socket.io-client` 2.5 and 4.8 that have no meaning outside a browser"
        " (`agent`, `withCredentials`) are accepted and logged;\nthose that are not built give `IM_ERROR_UNSUPPORTED`."
        " [Connections](../concepts/connections.md) tells how they work together.\n\nTimes are whole milliseconds from 1"
        " (from 0 where that has a meaning) to 604,800,000, a week; sizes are 1,024 to 1,073,741,824 bytes. What is"
        " outside is an error that names the option and its range.\n\n"
        + table(["option", "type", "default", "meaning"], rows)
    )


def events(abi: dict[str, Any]) -> str:
    of_the_server = [[f"`IM_{e['constant']}`", f"`{e['name']}`", e["meaning"]] for e in abi["events"]]
    own = [[f"`IM_EVENT_{e['name'].upper()}`", f"`{e['name']}`", e["meaning"]] for e in abi["localEvents"]]
    return (
        "# Events\n\n## Of an IM server\n\nAn IM event has two names: its name on the wire and its constant. A subscription"
        ' to either (`"c_message"`,\n`"CHAT_MESSAGE"`) receives both, and `event->name` says which came. The constants of'
        " the header are the wire\nnames. Events outside this table are delivered like any other.\n\n"
        + table(["constant", "on the wire", "meaning"], of_the_server)
        + "\n## Of the connection\n\nThese come from the library itself, each with one JSON argument, and of the kind"
        " `IM_EVENT_KIND_LOCAL` (`query` and `auth`:\n`IM_EVENT_KIND_REQUEST`). A server may send events of these names, too:"
        " they are delivered as well, of the kind `IM_EVENT_KIND_EVENT`.\n\n"
        + table(["constant", "name", "argument"], own)
    )


def info(abi: dict[str, Any]) -> str:
    return (
        "# What goes on in a client\n\n`im_client_info` gives a JSON object with these fields; one without a value is"
        " null.\n\n" + table(["field", "meaning"], [[f"`{f['name']}`", f["meaning"]] for f in abi["info"]])
    )


def codes(abi: dict[str, Any]) -> str:
    parts = {
        "Statuses": ("What calls return, and what an acknowledgement ends with.", "IM_(OK|DEFERRED|WOKEN|ERROR_.*)"),
        "Business codes": ("The field `code` of an envelope; above all of `im_error`.", "IM_CODE_.*"),
        "Message types": ("The field `type` of a message.", "IM_MESSAGE_TYPE_.*"),
        "Message domains": ("The field `typeu` of a message: to whom it goes.", "IM_MESSAGE_DOMAIN_.*"),
        "Kinds of events": ("The field `kind` of an `im_event`.", "IM_EVENT_KIND_.*"),
        "States": ("What `im_client_state` gives.", "IM_STATE_.*"),
        "Log levels": ("For `im_set_log_callback`.", "IM_LOG_.*"),
        "Flags": ("For the general forms of emit and subscribe.", "IM_(EMIT|SUBSCRIBE)_.*"),
    }
    text = "# Codes and constants\n"
    for title, (what, pattern) in parts.items():
        text += f"\n## {title}\n\n{what}\n\n{constants(abi, pattern)}"
    return text


def declarations(header: str) -> dict[str, tuple[str, str]]:
    """Name: declaration and what the header says of it."""
    found = {}
    documented = re.compile(r"/\*\*\n((?: \*.*\n)+?) \*/\n([^;#/{]+\b(im_\w+)\([^;]*\);)")
    for match in documented.finditer(header):
        lines = [line.removeprefix(" *").removeprefix(" ") for line in match[1].splitlines()]
        meaning = "\n".join(lines).replace("# Safety\n", "**Safety.** ")
        found[match[3]] = (match[2], re.sub(r"docs/reference/(\w+)\.md", r"[\1](\1.md)", meaning))
    return found


def group_of(name: str) -> str:
    for title, names in GROUPS.items():
        if name.removeprefix("im_client_") in names.split() and name.startswith("im_client_"):
            return title
    for title, starts in OTHER_GROUPS.items():
        if name.startswith(tuple(starts.split())):
            return title
    raise ValueError(f"{name} belongs to no group of functions: name it in tools/docs/tables.py")


def functions(abi: dict[str, Any]) -> str:
    known = declarations((ROOT / "include" / "im_client.h").read_text())
    if len(known) != len(abi["functions"]):
        raise ValueError(f"{len(known)} functions have documentation, {len(abi['functions'])} are declared")
    text = "# Functions\n\nAs in `im_client.h`, which is the contract; its head is on [its own page](contract.md).\n"
    for title in [*GROUPS, *OTHER_GROUPS]:
        text += f"\n## {title}\n"
        for name, (declaration, meaning) in known.items():
            if group_of(name) == title:
                text += f"\n### {name}\n\n```{{code-block}} c\n{declaration}\n```\n\n{meaning}\n"
    return text


def contract(_: dict[str, Any]) -> str:
    """The header's prose: what begins with a word and a full stop is headed by it; what is indented is a table."""
    prose = (ROOT / "include" / "contract.txt").read_text().strip()
    text = "# The contract\n\nThe head of `im_client.h`, word for word.\n"
    for paragraph in prose.split("\n\n")[1:]:
        if paragraph.startswith(" "):
            text += "\n" + columns(paragraph.splitlines())
        else:
            headed = re.sub(r"^([A-Z][\w ]*)\.", r"**\1.**", paragraph)
            text += "\n" + re.sub(r"(\bim_\w+|\bIM_\w+|\{\"_placeholder.*?\}|\"delivery\": \"manual\")", r"`\1`", headed) + "\n"
    return text


def columns(lines: list[str]) -> str:
    """A table of a text file: the columns begin where the words of its head do."""
    starts = [match.start() for match in re.finditer(r"(?<=  )\S", lines[0])]
    ends = [*starts[1:], None]
    cells = [[line[start:end].strip() for start, end in zip(starts, ends)] for line in lines]
    return table(cells[0], [[f"`{row[0]}`", *row[1:]] if row[0].startswith("im_") else row for row in cells[1:]])


MAKERS = {
    "options": options, "events": events, "info": info, "codes": codes, "functions": functions, "contract": contract,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the pages, write nothing")
    arguments = parser.parse_args()
    abi = json.loads((ROOT / "bindings" / "abi.json").read_text())
    stale = []
    for name, make in MAKERS.items():
        page, text = PAGES / f"{name}.md", MADE + make(abi)
        if arguments.check and (not page.exists() or page.read_text() != text):
            stale.append(page.name)
        elif not arguments.check:
            page.parent.mkdir(exist_ok=True)
            page.write_text(text)
    if stale:
        print(f"stale: {', '.join(stale)}: run tools/docs/tables.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
