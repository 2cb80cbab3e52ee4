"""Makes one program of all blocks of a language on a page, and gives the command that runs it."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.documentation.blocks import Block

ROOT = Path(__file__).resolve().parent.parent.parent
# What a page may use without showing it; docs/index.md says so.
HEADERS = ["im_client.h", "jansson.h", "stdbool.h", "stdio.h", "stdlib.h", "string.h"]
CLIENT = """im_client client = im_client_new(
    "{\\"root\\":\\"http://localhost:7001\\",\\"nsp\\":\\"chat\\",\\"query\\":{\\"token\\":\\"t\\",\\"userId\\":\\"111\\"}}");
"""
PRINT_EVENT = """static void print_event(const im_event *event, void *user_data) {
    (void)user_data;
    printf("%s %s\\n", event->name, event->json);
}
"""
# Python writes line by line then. A page prints from one thread at a time, for print() may mix the lines of two.
AS_ON_A_TERMINAL = (
    "import runpy, sys; sys.stdout.reconfigure(line_buffering=True); runpy.run_path(sys.argv[1], run_name='__main__')"
)
# Outside of functions: what begins so; and the comment before it.
DECLARATION = re.compile(r"\s*(/\*.*?\*/\s*)*(static|struct|enum|typedef|#)\b", re.DOTALL)


@dataclass(frozen=True)
class Build:
    """Where what was built lies, and where programs of pages go."""

    library: Path
    place: Path

    @property
    def environment(self) -> dict[str, str]:
        bin_folders = [str(self.library), str(self.library / "examples-c"), os.environ["PATH"]]
        return os.environ | {
            "PATH": ":".join(bin_folders),
            "LD_LIBRARY_PATH": str(self.place),
            "PYTHONPATH": str(ROOT / "bindings" / "python" / "src"),
            "IM_CLIENT_LIBRARY": str(self.library / "libim_client.so"),
        }


def c_source(page: str, blocks: list[Block]) -> str:
    """A block with a main is a program; of others, declarations stand before a main, statements in it, in their order."""
    whole = [block for block in blocks if re.search(r"^int main\(", block.text, re.MULTILINE)]
    if whole:
        if len(blocks) != 1:
            raise ValueError(f"{page} has a whole program and other blocks of C")
        return whole[0].text
    text = "\n".join(block.text for block in blocks)
    declarations, statements = [f"#include <{name}>\n" for name in HEADERS], []
    if "print_event" in text and "void print_event" not in text:
        declarations.append(PRINT_EVENT)
    if re.search(r"\bclient\b", text) and "im_client client =" not in text:
        statements.append(CLIENT)
    for block in blocks:
        where = declarations if DECLARATION.match(block.text) else statements
        where.append(f'#line {block.line + 1} "{page}.md"\n{block.text}')
    end = "getchar();\nreturn im_shutdown(10000) == IM_OK ? 0 : 1;\n"
    return "".join([*declarations, "int main(void) {\n", *statements, end, "}\n"])


def c_program(build: Build, page: str, source: str) -> list[str]:
    file = build.place / (page.replace("/", "_") + ".c")
    program = file.with_suffix("")
    file.write_text(source)
    for name in ["libim_client.so", "libim_client.so.0"]:
        if not (build.place / name).exists():
            (build.place / name).symlink_to(build.library / "libim_client.so")
    warnings = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable"]
    found = ["-I", str(ROOT / "include"), "-L", str(build.place)]
    compiled = subprocess.run(
        ["cc", *warnings, *found, file, "-o", program, "-lim_client", "-ljansson", "-pthread"],
        capture_output=True,
        text=True,
    )
    if compiled.returncode != 0:
        raise AssertionError(f"the C of {page} does not compile:\n{compiled.stderr}")
    return ["stdbuf", "-oL", str(program)]


def python_program(build: Build, page: str, source: str) -> list[str]:
    file = build.place / (page.replace("/", "_") + ".py")
    file.write_text(source)
    return [sys.executable, "-c", AS_ON_A_TERMINAL, str(file)]


def program(build: Build, page: str, language: str, blocks: list[Block], replaced: dict[str, str]) -> list[str]:
    own = [block for block in blocks if block.language == language]
    source = c_source(page, own) if language == "c" else "\n".join(block.text for block in own)
    for shown, real in replaced.items():
        source = source.replace(shown, real)
    make = c_program if language == "c" else python_program
    return make(build, page, source)
