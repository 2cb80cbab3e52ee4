"""The code blocks of a page."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^( *)```([^`\n]*)\n(.*?)^\1``` *$", re.MULTILINE | re.DOTALL)
# A directive of the site's generator is no code.
DIRECTIVE = re.compile(r"^\{[a-z:-]+\}")


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
        if not DIRECTIVE.match(language):
            found.append(Block(language, fence[3], text.count("\n", 0, fence.start()) + 1))
    if text.count("```") != 2 * len(FENCE.findall(text)):
        raise ValueError(f"{page} has a code block that does not end")
    return found
