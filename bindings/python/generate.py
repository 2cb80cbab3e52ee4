#!/usr/bin/env python3
"""Writes the modules of im_client that only repeat the ABI: constants, options, prototypes. All from bindings/abi.json.

With --check nothing is written, and what differs is an error.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ABI = HERE.parent / "abi.json"
PACKAGE = HERE / "src" / "im_client"
HEAD = '"""{doc}\n\nMade by generate.py from bindings/abi.json. Do not edit.\n"""\n\n'

# Constants that begin so become one enumeration.
ENUMERATIONS = [
    ("IM_CODE_", "Code", "The server's business codes, as in an envelope's `code`."),
    ("IM_MESSAGE_TYPE_", "MessageType", "A message's `type`."),
    ("IM_MESSAGE_DOMAIN_", "MessageDomain", "A message's `typeu`: what kind of conversation it belongs to."),
    ("IM_EVENT_KIND_", "EventKind", "What an event is."),
    ("IM_STATE_", "State", "The state of a client's connection."),
]
# What Python's own ways stand for: the logging module, keyword arguments, methods.
INTERNAL = ("IM_LOG_", "IM_EMIT_", "IM_SUBSCRIBE_", "IM_VERSION_")
CTYPES = {
    "void": "None",
    "void *": "c_void_p",
    "const void *": "c_void_p",
    "const char *": "c_char_p",
    "char *": "c_void_p",
    "im_client": "c_uint64",
    "im_status": "c_int32",
    "int32_t": "c_int32",
    "int64_t": "c_int64",
    "uint32_t": "c_uint32",
    "uint64_t": "c_uint64",
    "size_t": "c_size_t",
    "im_event_fn": "EventFunction",
    "im_ack_fn": "AckFunction",
    "im_free_fn": "FreeFunction",
    "im_done_fn": "FreeFunction",
    "im_log_fn": "LogFunction",
    "const struct im_event *": "c_void_p",
    "const struct im_event **": "POINTER(c_void_p)",
    "const struct im_blob *": "POINTER(Blob)",
    "struct im_blob *": "POINTER(Blob)",
}
# Of the options whose type in the table does not say enough.
OPTION_TYPES = {
    "string": "str",
    "boolean": "bool",
    "object": "Mapping[str, Any]",
    "list": "Sequence[str]",
    "milliseconds": "float",
    "milliseconds or null": "float | None",
    "number": "int",
    "number or null": "int | None",
    "bytes": "int",
    "path": "str",
    "PEM": "str",
    "PEM or list": "str | Sequence[str]",
    "string or list": "str | Sequence[str]",
    "0 to 1": "float",
    "1 to 1000": "int",
    "IP address": "str",
    'URL, `"none"` or false': "str | Literal[False]",
    '`"auto"`, 3 or 4': 'Literal["auto", 3, 4]',
    '`"wire"` or `"constant"`': 'Literal["wire", "constant"]',
    '`"default"` or `"msgpack"`': 'Literal["default", "msgpack"]',
}
# Parameters of their own, or this package's business.
NOT_KEYWORDS = {"root", "nsp", "delivery"}
# May be given what answers, instead of True.
ASKING = {"askAuth", "askQuery"}


def sentence(meaning: str) -> str:
    """What a constant means, in Python's words."""
    return re.sub(r"\bIM_(?=[A-Z])", "", meaning).strip()


def comment(text: str, indent: str = "") -> list[str]:
    """Above what it explains, no line longer than 120."""
    lines, line = [], f"{indent}#:"
    for word in text.split():
        if len(line) + 1 + len(word) > 120:
            lines.append(line)
            line = f"{indent}#:"
        line += f" {word}"
    return [*lines, line]


def enumeration(name: str, doc: str, members: list[tuple[str, dict[str, Any]]]) -> list[str]:
    lines = [f"class {name}(IntEnum):", f'    """{doc}"""', ""]
    for member, constant in members:
        lines += comment(sentence(constant["meaning"]), "    ")
        lines.append(f"    {member} = {constant['value']}")
    return [*lines, "", ""]


def constants(abi: dict[str, Any]) -> str:
    rest = [each for each in abi["constants"] if not each["name"].startswith(INTERNAL)]
    enumerations: list[str] = []

    def take(prefix: str) -> list[dict[str, Any]]:
        nonlocal rest
        taken = [each for each in rest if each["name"].startswith(prefix)]
        rest = [each for each in rest if each not in taken]
        return taken

    for prefix, name, doc in ENUMERATIONS:
        members = [(each["name"][len(prefix) :], each) for each in take(prefix)]
        enumerations += enumeration(name, doc, members)
    statuses = [(each["name"][3:], each) for each in rest if isinstance(each["value"], int)]
    enumerations += enumeration("Status", "What a call of the C library gives: the `status` of an ImError.", statuses)
    names: list[str] = []
    for event in (each for each in rest if isinstance(each["value"], str)):
        names += comment(sentence(event["meaning"]))
        names.append(f'{event["name"][3:]}: Final = "{event["value"]}"')
    doc = "The names of events, and the numbers that mean something."
    imports = ["from enum import IntEnum", "from typing import Final", ""]
    exported = re.findall(r"^(?:class )?(\w+)(?=\(|:)", "\n".join([*enumerations, *names]), re.M)
    all_names = ["__all__ = [", *(f'    "{name}",' for name in sorted(exported)), "]", "", ""]
    return HEAD.format(doc=doc) + "\n".join([*imports, *all_names, *enumerations, *names]) + "\n"


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def keyword(option: dict[str, str]) -> str:
    """An option's name in Python. Times are seconds, so no name says milliseconds."""
    name = snake(option["name"])
    return name[: -len("_ms")] if name.endswith("_ms") else name


def option_lines(option: dict[str, str]) -> list[str]:
    of_time = option["type"].startswith("milliseconds")
    default = option["default"]
    if of_time and default.isdigit():
        default = f"{int(default) / 1000:g}"
    doc = option["meaning"] + (" In seconds." if of_time else "") + f" Default: {default}."
    kind = OPTION_TYPES[option["type"]]
    if option["name"] in ASKING:
        doc = doc.replace("`im_client_answer` answers", "a handler's return value, or the function given here, answers")
        kind = "bool | Callable[[int], Any]"
    return [*comment(sentence(doc), "    "), f"    {keyword(option)}: {kind}"]


def options(abi: dict[str, Any]) -> str:
    own = [option for option in abi["options"] if option["name"] not in NOT_KEYWORDS]
    doc = "The options of a client, as keyword arguments."
    lines = [
        "from __future__ import annotations",
        "",
        "import sys",
        "from collections.abc import Callable, Mapping, Sequence",
    ]
    lines += ["from typing import Any, Final, Literal, TypedDict", "", ""]
    lines += [
        "class Options(TypedDict, total=False):",
        '    """What Client and AsyncClient take beside `root` and `nsp`."""',
        "",
    ]
    for option in own:
        lines += option_lines(option)
    lines += ["", "", "#: The library's name of each option.", "NAMES: Final = {"]
    lines += [f'    "{keyword(option)}": "{option["name"]}",' for option in own]
    lines += [
        "}",
        "",
        "#: Those that are times: seconds here, milliseconds in the library.",
        "TIMES: Final = frozenset(",
        "    {",
    ]
    lines += [f'        "{keyword(option)}",' for option in own if option["type"].startswith("milliseconds")]
    lines += ["    }", ")"]
    return HEAD.format(doc=doc) + "\n".join(line for line in lines if line != "import sys") + "\n"


def ctype(declaration: str) -> str:
    """The ctypes name of `const char *name` or of a result type."""
    declaration = declaration.strip()
    kind = re.sub(r"(?<=[\s*])\w+$", "", declaration).strip() if declaration not in CTYPES else declaration
    return CTYPES[re.sub(r"\s*(\*+)$", r" \1", kind)]


def prototype(function: str) -> str:
    match = re.fullmatch(r"(.*?)(\w+)\((.*)\)", function)
    if match is None:
        raise ValueError(function)
    result, name, parameters = match.groups()
    arguments = [] if parameters == "void" else [ctype(each) for each in parameters.split(",")]
    return f'    ("{name}", {ctype(result)}, [{", ".join(arguments)}]),'


def prototypes(abi: dict[str, Any]) -> str:
    internal = [each for each in abi["constants"] if each["name"].startswith(INTERNAL)]
    doc = "The functions of the C library, as ctypes has to know them."
    lines = ["from __future__ import annotations", ""]
    lines += ["from ctypes import POINTER, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p"]
    lines += ["from typing import Any, Final", ""]
    lines += ["from ._types import AckFunction, Blob, EventFunction, FreeFunction, LogFunction", ""]
    lines += [f"{each['name'][3:]}: Final = {each['value']}" for each in internal]
    lines += ["VERSION_NUMBER: Final = VERSION_MAJOR * 10000 + VERSION_MINOR * 100 + VERSION_PATCH", ""]
    lines += [
        "#: Name, result, parameters. A `char *` is an address, for it has to be freed.",
        "PROTOTYPES: list[tuple[str, Any, list[Any]]] = [",
    ]
    lines += [prototype(function) for function in abi["functions"]]
    return HEAD.format(doc=doc) + "\n".join([*lines, "]"]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    abi = json.loads(ABI.read_text())
    made = {"constants.py": constants(abi), "_options_table.py": options(abi), "_prototypes.py": prototypes(abi)}
    made["_version.py"] = (
        HEAD.format(doc="The package's version is the library's.") + f'__version__ = "{abi["version"]}"\n'
    )
    stale = [
        name for name, text in made.items() if not (PACKAGE / name).exists() or (PACKAGE / name).read_text() != text
    ]
    if arguments.check and stale:
        print(f"not what bindings/abi.json says: {', '.join(stale)}; run bindings/python/generate.py", file=sys.stderr)
        return 1
    for name in stale:
        (PACKAGE / name).write_text(made[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
