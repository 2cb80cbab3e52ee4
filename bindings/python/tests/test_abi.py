"""The C library as this package has it, against the header."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from im_client import Options, Status, constants
from im_client._library import library
from im_client._options_table import NAMES
from im_client._prototypes import PROTOTYPES, VERSION_NUMBER
from im_client._types import Blob, RawEvent

from .servers import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

HEADER = REPOSITORY / "include" / "im_client.h"
PACKAGE = REPOSITORY / "bindings" / "python"


def test_the_generated_modules_are_of_this_abi() -> None:
    subprocess.run([sys.executable, PACKAGE / "generate.py", "--check"], check=True)


def test_the_check_finds_what_is_stale(tmp_path: Path) -> None:
    """In a copy of the package."""
    copy = tmp_path / "bindings" / "python"
    (copy / "src").mkdir(parents=True)
    subprocess.run(["cp", "-r", PACKAGE / "src" / "im_client", copy / "src"], check=True)
    subprocess.run(["cp", PACKAGE / "generate.py", copy], check=True)
    abi = (PACKAGE.parent / "abi.json").read_text()
    (tmp_path / "bindings" / "abi.json").write_text(abi.replace('"c_message"', '"c_massage"'))
    checked = subprocess.run(
        [sys.executable, copy / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 1
    assert "constants.py" in checked.stderr


def test_structs_are_laid_out_as_in_c(tmp_path: Path) -> None:
    fields = [(struct, field[0]) for struct in (RawEvent, Blob) for field in struct._fields_]
    names = {RawEvent: "im_event", Blob: "im_blob"}
    prints = [f'printf("%zu\\n", offsetof({names[struct]}, {field}));' for struct, field in fields]
    prints += [f'printf("%zu\\n", sizeof({name}));' for name in names.values()]
    source = tmp_path / "layout.c"
    source.write_text(
        f"#include <im_client.h>\n#include <stdio.h>\nint main(void) {{ {' '.join(prints)} return 0; }}\n"
    )
    program = tmp_path / "layout"
    subprocess.run(["cc", "-I", HEADER.parent, "-o", program, source], check=True)
    told = [int(line) for line in subprocess.check_output([program], text=True).split()]
    offsets = [getattr(struct, field).offset for struct, field in fields]
    assert told == [*offsets, ctypes.sizeof(RawEvent), ctypes.sizeof(Blob)]


def test_every_function_of_the_header_is_declared() -> None:
    declared = set(re.findall(r"^\w[\w \*]*\b(im_\w+)\(", HEADER.read_text(), re.M))
    assert declared == {name for name, _, _ in PROTOTYPES}
    for name, result, arguments in PROTOTYPES:
        assert getattr(library, name).restype is result
        assert getattr(library, name).argtypes == arguments


def test_the_library_agrees() -> None:
    assert library.im_version_number() == VERSION_NUMBER
    for status in Status:
        assert library.im_status_name(status).decode() == f"IM_{status.name}"


def test_constants_have_the_headers_values() -> None:
    header = dict(re.findall(r"^#define IM_(\w+) \(?(\"[^\"]*\"|-?\d+)\)?$", HEADER.read_text(), re.M))
    internal = ("LOG_", "EMIT_", "SUBSCRIBE_", "VERSION_")
    named: dict[str, object] = {name: value for name, value in vars(constants).items() if isinstance(value, str)}
    for enumeration, prefix in (
        (constants.Code, "CODE_"),
        (constants.MessageType, "MESSAGE_TYPE_"),
        (constants.MessageDomain, "MESSAGE_DOMAIN_"),
        (constants.EventKind, "EVENT_KIND_"),
        (constants.State, "STATE_"),
        (constants.Status, ""),
    ):
        named.update({prefix + member.name: member.value for member in enumeration})
    for name, value in header.items():
        if not name.startswith(internal):
            assert str(named[name]) == value.strip('"'), name


def test_every_option_is_a_keyword() -> None:
    assert set(Options.__annotations__) == set(NAMES)
    table = re.findall(
        r"^\| `(\w+)` \| .* \| .* \|", (REPOSITORY / "docs" / "reference" / "options.md").read_text(), re.M
    )
    own = {"root", "nsp", "delivery"}
    assert set(NAMES.values()) <= set(table)
    assert own <= set(table)
