"""Every code block of the site, compiled or run: python3 -m tests.documentation FOLDER_OF_WHAT_WAS_BUILT [PAGE...]

docs/README.md has the rules. A block that no rule covers is an error, and so is a page whose program has no output.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.documentation.blocks import Block, blocks_of, file_of
from tests.documentation.links import check_the_links
from tests.documentation.pages import PAGES, STORY
from tests.documentation.programs import ROOT, Build, program
from tests.documentation.story import Program, play, run_commands

DOCS = ROOT / "docs"
PROGRAMS = ["c", "python"]
# Variables of the environment, the packages of Python, C++ and CMake, and what only a library for Android has.
NOT_OF_THE_HEADER = {
    "IM_ROOT", "IM_CLIENT_LIBRARY", "IM_CLIENT_XCFRAMEWORK", "IM_SWIFT_ROOT", "IM_TORTURE_SEED", "im_client",
    "im_android_init",
}  # fmt: skip
LANGUAGES = {*PROGRAMS, "js", "json", "sh", "text"}
# What the tests of each package compile or run of its README.
OF_A_PACKAGE = {
    "c": {"sh", "cmake", "c"},
    "cpp": {"sh", "cmake", "cpp"},
    "python": {"sh", "python"},
    "swift": {"sh", "swift", "swift package", "swift program"},
    "kotlin": {"sh", "xml", "kotlin", "java"},
}
# Their tests run the stranger's path alone.
ONE_BLOCK_OF_COMMANDS = {"python", "swift", "kotlin"}


def check_the_languages(page: str, blocks: list[Block]) -> None:
    for block in blocks:
        if block.language not in LANGUAGES:
            raise AssertionError(f"docs/{page}.md:{block.line}: nothing runs a block of {block.language!r}")
    programs = [block.line for block in blocks if block.language in PROGRAMS]
    outputs = [block.line for block in blocks if block.language == "text"]
    if programs and not outputs:
        raise AssertionError(f"docs/{page}.md shows a program and not what it prints")
    if outputs and (not programs or outputs[0] < programs[0]):
        raise AssertionError(f"docs/{page}.md:{outputs[0]}: no program before it prints that")


def check_the_names(file: Path) -> None:
    """What looks like a name of the library's is one; `IM_CODE_…` stands for all that begin so."""
    header = (ROOT / "include" / "im_client.h").read_text()
    known = {*re.findall(r"\b(?:im|IM)_\w+", header), *NOT_OF_THE_HEADER}
    for name in re.findall(r"\b(?:im_[a-z]\w*|IM_[A-Z]\w*)", file.read_text()):
        if name not in known and not (name.endswith("_") and name in header):
            raise AssertionError(f"{file} speaks of {name}, which is not in im_client.h")


def check_the_file(page: str) -> None:
    """A page that is a file from elsewhere has no code, or is the README of a package, whose own tests run it."""
    file = file_of(DOCS / f"{page}.md")
    if file is None or not file.parent.exists():
        return
    if file.parent.parent == ROOT / "bindings":
        check_the_readme(file.parent.name, blocks_of(file))
    elif blocks_of(file):
        raise AssertionError(f"docs/{page}.md: nothing runs the code of {file}")


def check_the_readme(package: str, blocks: list[Block]) -> None:
    for block in blocks:
        if block.language not in OF_A_PACKAGE[package]:
            raise AssertionError(f"bindings/{package}/README.md:{block.line}: nothing runs a block of {block.language!r}")
    commands = [block for block in blocks if block.language == "sh"]
    if package in ONE_BLOCK_OF_COMMANDS and len(commands) != 1:
        raise AssertionError(f"bindings/{package}/README.md: of {len(commands)} blocks of commands one is run")


def check_data(page: str, blocks: list[Block], place: Path) -> None:
    """JSON is JSON, and the JavaScript of the old SDK is JavaScript."""
    for block in blocks:
        if block.language == "json":
            json.loads(block.text)
        elif block.language == "js":
            module = place / "block.mjs"
            module.write_text(block.text)
            checked = subprocess.run(["node", "--check", module], capture_output=True, text=True)
            if checked.returncode != 0:
                raise AssertionError(f"docs/{page}.md:{block.line}: {checked.stderr}")


def run_page(build: Build, page: str, blocks: list[Block]) -> str:
    story = PAGES.get(page, STORY)
    check_the_languages(page, blocks)
    check_data(page, blocks, build.place)
    languages = [language for language in PROGRAMS if any(block.language == language for block in blocks)]
    for language in languages:
        with story(build) as replaced, tempfile.TemporaryDirectory() as folder:
            tell(build, page, language, blocks, replaced, Path(folder))
    if not languages:
        run_commands(blocks, build.environment, ROOT, {})
    return " and ".join(languages) or "no program"


def tell(build: Build, page: str, language: str, blocks: list[Block], replaced: dict[str, str], folder: Path) -> None:
    """The page's story with its program in this language."""
    command = program(build, page, language, blocks, replaced)
    begin = next(index for index, block in enumerate(blocks) if block.language in PROGRAMS)
    run_commands(blocks[:begin], build.environment, ROOT, replaced)
    play(Program(command, build.environment, folder), blocks[begin:], build.environment, ROOT, replaced)


def pages() -> list[str]:
    """All pages with code of their own; those of the reference are made by tools/docs/tables.py, and shown, not run."""
    files = [file.relative_to(DOCS).with_suffix("") for file in sorted(DOCS.rglob("*.md"))]
    return [str(file) for file in files if file.parts[0] != "reference"]


def every_page() -> list[Path]:
    """All of the repository, READMEs too."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines()]


def main() -> None:
    library, known = Path(sys.argv[1]).resolve(), pages()
    if set(PAGES) - set(known):
        raise AssertionError(f"there are no pages {set(PAGES) - set(known)}")
    count = 0
    with tempfile.TemporaryDirectory() as place:
        build = Build(library, Path(place))
        for file in every_page():
            check_the_names(file)
            check_the_links(file)
        for page in sys.argv[2:] or known:
            check_the_file(page)
            blocks = blocks_of(DOCS / f"{page}.md")
            if blocks:
                print(f"ok {page}: {len(blocks)} blocks, {run_page(build, page, blocks)}", flush=True)
                count += len(blocks)
    print(f"{count} blocks of the documentation were compiled, run or parsed")


if __name__ == "__main__":
    main()
