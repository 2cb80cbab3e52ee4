#!/usr/bin/env python3
"""Writes Sources/ImClient/Generated from bindings/abi.json: names and numbers that exist once. --check only compares."""

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ABI = json.loads((HERE.parent / "abi.json").read_text())
TARGET = HERE / "Sources" / "ImClient" / "Generated"
HEAD = "// Made by generate.py from bindings/abi.json. Do not edit.\n"

WORDS = {"IMERROR": "imError", "SSO_QRLOGIN": "ssoQRLogin"}
KEYWORDS = {"protocol"}

# What an option's type in abi.json is in Swift.
TYPES = {
    "string": "String",
    "object": "[String: JSON]",
    "boolean": "Bool",
    '`"auto"`, 3 or 4': "EngineRevision",
    "list": "[Transport]",
    "milliseconds": "Duration",
    "milliseconds or null": "Duration",
    "number": "Int",
    "number or null": "Int",
    "0 to 1": "Double",
    "1 to 1000": "Int",
    "bytes": "Int",
    '`"wire"` or `"constant"`': "EventNaming",
    '`"default"` or `"msgpack"`': "Parser",
    "string or list": "[String]",
    'URL, `"none"` or false': "String",
    "IP address": "String",
    "PEM or list": "[String]",
    "PEM": "String",
    "path": "String",
}
# These two are parameters of the initializer; the third is the package's own business.
NOT_FIELDS = {"root", "nsp", "delivery"}


def camel(name: str) -> str:
    if name in WORDS:
        return WORDS[name]
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def quoted(identifier: str) -> str:
    return f"`{identifier}`" if identifier in KEYWORDS else identifier


def comment(text: str, indent: str = "    ") -> str:
    mark = f"{indent}/// "
    return "".join(f"{line}\n" for line in textwrap.wrap(text, 120, initial_indent=mark, subsequent_indent=mark))


def constants(prefix: str) -> list[dict[str, Any]]:
    return [one for one in ABI["constants"] if one["name"].startswith(prefix)]


def event_names() -> str:
    names = [(camel(one["constant"]), one) for one in ABI["events"]]
    names += [(camel(one["name"]), one) for one in ABI["localEvents"]]
    lines = "".join(
        f'{comment(one["meaning"])}    public static let {name} = EventName("{one["name"]}")\n' for name, one in names
    )
    pairs = "".join(f'        "{one["constant"]}": "{one["name"]}",\n' for one in ABI["events"])
    return f"""extension EventName {{
{lines}
    /// The constants that servers written from the first documentation use as names, and the names on the wire.
    static let wireNames: [String: String] = [
{pairs}    ]
}}
"""


def statuses() -> str:
    own = [one for one in ABI["constants"] if one["name"] in ("IM_OK", "IM_DEFERRED", "IM_WOKEN")] + constants("IM_ERROR_")
    cases = "".join(
        f'{comment(one["meaning"])}    case {camel(re.sub("^IM_(ERROR_)?", "", one["name"]))} = {one["value"]}\n' for one in own
    )
    failures = [camel(one["name"].removeprefix("IM_ERROR_")) for one in constants("IM_ERROR_")]
    patterns = "".join(
        f"    /// For `catch ImError.{name}`.\n    public static var {name}: Status {{ .{name} }}\n" for name in failures
    )
    return f"""/// The result of a call into the library; its raw value is the C ABI's `im_status`.
public enum Status: Int32, Sendable, CaseIterable {{
{cases}    /// A number that this version of the package does not know.
    case unknown = -2_147_483_648
}}

extension ImError {{
{patterns}}}
"""


def enum(name: str, doc: str, prefix: str) -> str:
    cases = "".join(
        f'{comment(one["meaning"])}    case {camel(one["name"].removeprefix(prefix))} = {one["value"]}\n'
        for one in constants(prefix)
    )
    return f"/// {doc}\npublic enum {name}: Int32, Sendable, CaseIterable {{\n{cases}}}\n"


def numbers(name: str, doc: str, prefix: str) -> str:
    own = constants(prefix)
    lines = "".join(
        f'{comment(one["meaning"])}    public static let {camel(one["name"].removeprefix(prefix))} = {name}({one["value"]})\n'
        for one in own
    )
    names = "".join(f'        {one["value"]}: "{one["name"]}",\n' for one in own)
    return f"""/// {doc}
public struct {name}: RawRepresentable, Hashable, Sendable, Codable {{
    /// The number itself; servers may use others than those that have a name here.
    public let rawValue: Int

    /// Makes it of its number.
    public init(rawValue: Int) {{ self.rawValue = rawValue }}

    init(_ number: Int) {{ rawValue = number }}

{lines}
    /// The constant's name in the C header, or the number.
    public var name: String {{ Self.names[rawValue] ?? String(rawValue) }}

    private static let names: [Int: String] = [
{names}    ]
}}
"""


def numbers_file() -> str:
    version = {part: one["value"] for part in ("MAJOR", "MINOR", "PATCH") for one in constants(f"IM_VERSION_{part}")}
    number = version["MAJOR"] * 10000 + version["MINOR"] * 100 + version["PATCH"]
    parts = [
        numbers("BusinessCode", "What a server says in the `code` of an envelope.", "IM_CODE_"),
        numbers("MessageType", "What a message is: its `type`.", "IM_MESSAGE_TYPE_"),
        numbers("MessageDomain", "Who a message is for: its `typeu`.", "IM_MESSAGE_DOMAIN_"),
        enum("EventKind", "What an event is.", "IM_EVENT_KIND_"),
        enum("ConnectionState", "The state of a client's connection.", "IM_STATE_"),
        enum("LogLevel", "How much the log tells.", "IM_LOG_"),
        f"extension Library {{\n    /// The version of the C header that this package was made for.\n"
        f"    static let headerVersion: UInt32 = {number}\n}}\n",
    ]
    return "\n".join(parts)


def options() -> str:
    fields, entries = "", ""
    for one in ABI["options"]:
        if one["name"] in NOT_FIELDS:
            continue
        name, kind = quoted(one["name"]), TYPES[one["type"]]
        fields += comment(f'{one["meaning"]} Default: {one["default"]}.') + f"    public var {name}: {kind}?\n"
        entries += f'        known["{one["name"]}"] = {name}?.option\n'
    return f"""/// What a client is made with: `root` and `namespace`, and any option of the library. What is nil is left to the library's default.
public struct Options: Sendable {{
    /// The server: scheme (`http`, `https`, `ws`, `wss`), host and port; no path.
    public var root: String
    /// The namespace: `chat`, `sso`, `/` or any other, with or without its slash.
    public var namespace: String
    /// Options by their names in the C ABI, for what has no property here (`raw["messageTimeout"] = .null` is its `null`). They win.
    public var raw: [String: JSON] = [:]
    /// Gives the auth before each connection (sets `askAuth`); nil leaves it as it is. Runs on a task of its own.
    public var authProvider: CredentialsProvider?
    /// The same for the query (sets `askQuery`).
    public var queryProvider: CredentialsProvider?

{fields}
    /// Options for a namespace of a server.
    public init(root: String, namespace: String, query: [String: JSON]? = nil) {{
        self.root = root
        self.namespace = namespace
        self.query = query
    }}

    /// The options with a property of their own that were set.
    var fields: [String: JSON] {{
        var known: [String: JSON] = [:]
{entries}        return known
    }}
}}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    files = {
        "EventNames.swift": event_names(),
        "Status.swift": statuses(),
        "Numbers.swift": numbers_file(),
        "Options.swift": options(),
    }
    stale = []
    for name, text in files.items():
        path, text = TARGET / name, f"{HEAD}\n{text}"
        if not path.is_file() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.write_text(text)
    if check and stale:
        print("not what abi.json says; run bindings/swift/generate.py:", *stale, file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
