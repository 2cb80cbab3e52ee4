"""The code blocks of a page."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^( *)```([^`\n]*)\n(.*?)^\1``` *$", re.MULTILINE | re.DOTALL)
# Code that would not be found: other fences, and lines that are indented after an empty one.
OTHER_CODE = re.compile(r"^ {0,3}~~~|\n\n {4,}\S", re.MULTILINE)
# The table of contents is no code.
NO_CODE = "{toctree}"
# A page that is nothing but a link shows that file of the repository: docs/conf.py puts it there.
FILE = re.compile(r"\A\[[^]]+\]\((\.\./\S+)\)\n\Z")


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    found = []
    for fence in FENCE.finditer(text):
        language = fence[2].strip()
        if language != NO_CODE:
            found.append(Block(language, fence[3], text.count("\n", 0, fence.start()) + 1))
    if text.count("```") != 2 * len(FENCE.findall(text)):
        raise ValueError(f"{page} has a code block that does not end")
    if OTHER_CODE.search(FENCE.sub("", text)):
        raise ValueError(f"{page} has code that is not between ``` and ```")
    return found


def file_of(page: Path) -> Path | None:
    """The file that this page is, if it is one."""
    match = FILE.search(page.read_text())
    return (page.parent / match[1]).resolve() if match else None
