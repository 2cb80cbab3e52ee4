#!/usr/bin/env python3
"""Writes what bindings/abi.json says once and Kotlin needs too: constants and the typed options.

Without arguments it writes the files; with --check it fails where they differ, and where JnaFunctions.kt, which JNA believes
without a look at the header, declares a function otherwise than the ABI.
"""

import json
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "main" / "kotlin" / "im" / "client"
ABI: dict[str, Any] = json.loads((HERE.parent / "abi.json").read_text())
VALUES: dict[str, Any] = {constant["name"]: constant["value"] for constant in ABI["constants"]}
MEANINGS: dict[str, str] = {constant["name"]: constant["meaning"] for constant in ABI["constants"]}
HEAD = "// Made by generate.py from bindings/abi.json. Do not edit.\n"

# The Kotlin type of an option, by its type in the ABI; what is not here takes any JSON value.
TYPES = {
    "string": "String",
    "boolean": "Boolean",
    "milliseconds": "Duration",
    "milliseconds or null": "Duration",
    "number": "Int",
    "number or null": "Int",
    "1 to 1000": "Int",
    "0 to 1": "Double",
    "bytes": "Long",
    "list": "List<String>",
    "path": "String",
    "IP address": "String",
    "PEM": "String",
    "`\"wire\"` or `\"constant\"`": "String",
    "`\"default\"` or `\"msgpack\"`": "String",
}
# What a type of C is for JNA: as a parameter, and as a result where that differs.
IN_JNA = {
    "void": "Unit",
    "im_client": "Long",
    "int64_t": "Long",
    "uint64_t": "Long",
    "size_t": "Long",
    "im_status": "Int",
    "int32_t": "Int",
    "uint32_t": "Int",
    "const char *": "ByteArray",
    "char *": "Pointer",
    "void *": "Pointer",
    "const struct im_event *": "Long",
    "const struct im_event **": "LongArray",
    "const struct im_blob *": "Pointer",
    "struct im_blob *": "LongArray",
    "im_event_fn": "EventCallback",
    "im_log_fn": "LogCallback",
    "im_ack_fn": "Pointer",
    "im_free_fn": "Pointer",
}
RESULTS_IN_JNA = IN_JNA | {"const char *": "Pointer"}

# These have a form of their own in ImOptions, or are the package's own business.
OWN_FORM = {"root", "nsp", "query", "askAuth", "askQuery", "delivery"}


def document(text: str, indent: str) -> str:
    """A KDoc comment; a `*/` or `/*` in the text would end or nest it."""
    text = text.replace("*/", "* /").replace("/*", "/ *")
    lines = textwrap.wrap(text, 120 - len(indent), break_long_words=False, break_on_hyphens=False)
    if len(lines) == 1 and len(lines[0]) + len(indent) + 7 <= 120:
        return f"{indent}/** {lines[0]} */\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {line}\n" for line in lines) + f"{indent} */\n"


def literal(value: Any) -> str:
    return json.dumps(value)


def constants(names: Iterable[tuple[str, str]]) -> str:
    """Members of an object, from pairs of the Kotlin and the C name."""
    parts = []
    for kotlin, name in names:
        kind = "String" if isinstance(VALUES[name], str) else "Int"
        comment = document(MEANINGS[name] or name, "    ")
        parts.append(f"{comment}    public const val {kotlin}: {kind} = {literal(VALUES[name])}\n")
    return "\n".join(parts)


def with_prefix(prefix: str) -> Iterator[tuple[str, str]]:
    return ((name.removeprefix(prefix), name) for name in VALUES if name.startswith(prefix))


def event_names() -> Iterator[tuple[str, str]]:
    for event in ABI["events"]:
        yield event["constant"], "IM_" + event["constant"]
    yield from ((name, full) for name, full in with_prefix("IM_EVENT_") if not name.startswith("KIND_"))


def statuses() -> Iterator[tuple[str, str]]:
    for name in ("IM_OK", "IM_DEFERRED", "IM_WOKEN"):
        yield name.removeprefix("IM_"), name
    yield from ((f"ERROR_{name}", full) for name, full in with_prefix("IM_ERROR_"))


def constants_object(name: str, text: str, names: Iterable[tuple[str, str]], more: str = "") -> str:
    return f"/** {text} */\npublic object {name} {{\n{constants(names)}{more}}}\n"


def enumeration(name: str, text: str, prefix: str) -> str:
    entries = [
        f"{document(MEANINGS[full], '    ')}    {short}({VALUES[full]}),\n" for short, full in with_prefix(prefix)
    ]
    return (
        f"/** {text} */\npublic enum class {name}(\n    internal val value: Int,\n) {{\n"
        + "\n".join(entries)
        + f"    ;\n\n    internal companion object {{\n        fun of(value: Int): {name} = "
        "entries.first { it.value == value }\n    }\n}\n"
    )


def code_names() -> str:
    lines = "".join(f'            {short} -> "{full}"\n' for short, full in with_prefix("IM_CODE_"))
    return (
        "\n    /** The name of a code as the C header has it, such as `IM_CODE_AUTH_FAILED`; null for another number. */\n"
        "    @JvmStatic\n    public fun nameOf(code: Int): String? =\n        when (code) {\n"
        + lines
        + "            else -> null\n        }\n"
    )


def wire_names() -> str:
    entries = "".join(f'        "{event["constant"]}" to "{event["name"]}",\n' for event in ABI["events"])
    return f"/** The name on the wire of an IM event's constant. */\ninternal val WIRE_NAMES: Map<String, String> =\n    mapOf(\n{entries}    )\n"


def constants_file() -> str:
    kinds = "".join(
        f"internal const val {full.removeprefix('IM_EVENT_')}: Int = {VALUES[full]}\n"
        for _, full in with_prefix("IM_EVENT_KIND_")
    )
    number = 10000 * VALUES["IM_VERSION_MAJOR"] + 100 * VALUES["IM_VERSION_MINOR"] + VALUES["IM_VERSION_PATCH"]
    parts = [
        constants_object(
            "Events",
            "Names of events: those of the IM server, as they are on the wire, and the connection's own.",
            event_names(),
        ),
        constants_object("Codes", "The server's business codes: `code` of an [Envelope].", with_prefix("IM_CODE_"), code_names()),
        constants_object("MessageTypes", "What a [Message] is: its `type`.", with_prefix("IM_MESSAGE_TYPE_")),
        constants_object("MessageDomains", "Whom a [Message] is for: its `typeu`.", with_prefix("IM_MESSAGE_DOMAIN_")),
        constants_object("Statuses", "Outcomes of calls of the C library: [ImException.status].", statuses()),
        enumeration("State", "What a client does about its connection.", "IM_STATE_"),
        enumeration("LogLevel", "How much the library's log tells.", "IM_LOG_"),
        f"/** The version of the header that this package was made from. */\ninternal const val HEADER_VERSION: Int = {number}\n",
        f"internal const val EMIT_VOLATILE: Int = {VALUES['IM_EMIT_VOLATILE']}\n\n{kinds}",
        wire_names(),
    ]
    return HEAD + "\npackage im.client\n\n" + "\n".join(parts)


def option(entry: dict[str, str]) -> str:
    kind = TYPES.get(entry["type"], "Any")
    comment = document(f"{entry['meaning']} Default: {entry['default']}.", "    ")
    return f"{comment}    public var {entry['name']}: {kind}? by values\n"


def options_file() -> str:
    members = "\n".join(option(entry) for entry in ABI["options"] if entry["name"] not in OWN_FORM)
    return (
        HEAD
        + "\npackage im.client\n\nimport kotlin.time.Duration\n\n"
        + "/**\n * The library's options that are plain values. What is not set has the library's default (null is a value); "
        "the library\n * checks them when the client is made. [ImOptions] has the rest.\n */\n"
        + "public abstract class PlainOptions internal constructor() {\n"
        + "    internal val values: MutableMap<String, Any?> = LinkedHashMap<String, Any?>().withDefault { null }\n\n"
        + members
        + "}\n"
    )


def functions_of_the_abi() -> dict[str, str]:
    """`(Long, ByteArray) Int` by name, of those whose types are known here."""
    found = {}
    for declaration in ABI["functions"]:
        result, name, listed = re.fullmatch(r"(.*?)(\w+)\((.*)\)", declaration).groups()  # type: ignore[union-attr]
        types = [re.sub(r"\w+$", "", parameter).strip() for parameter in listed.split(", ") if parameter != "void"]
        parameters = ", ".join(IN_JNA.get(each, each) for each in types)
        found[name] = f"({parameters}) {RESULTS_IN_JNA.get(result.strip(), result)}"
    return found


def wrong_functions() -> list[str]:
    text = (PACKAGE / "internal" / "JnaFunctions.kt").read_text()
    declared = re.findall(r"external fun (\w+)\((.*?)\)(?:: (\w+))?", text, re.DOTALL)
    types = re.compile(r": (\w+)")
    own = {name: f"({', '.join(types.findall(listed))}) {result or 'Unit'}" for name, listed, result in declared}
    abi = functions_of_the_abi()
    return [f"{name} is {of_jna}, not {abi.get(name)}" for name, of_jna in own.items() if of_jna != abi.get(name)]


def main() -> int:
    files = {PACKAGE / "Constants.kt": constants_file(), PACKAGE / "PlainOptions.kt": options_file()}
    if "--check" not in sys.argv[1:]:
        for path, text in files.items():
            path.write_text(text)
        return 0
    stale = [path.name for path, text in files.items() if not path.is_file() or path.read_text() != text]
    for name in stale:
        print(f"{name} is not what bindings/abi.json gives: run bindings/kotlin/generate.py", file=sys.stderr)
    wrong = wrong_functions()
    for function in wrong:
        print(f"JnaFunctions.kt: {function} as in bindings/abi.json", file=sys.stderr)
    return 1 if stale or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
