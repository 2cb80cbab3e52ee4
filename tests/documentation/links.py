"""Where the links of the repository's pages lead: to a file that is there, and to a heading that it has."""

import re
from pathlib import Path

CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """A heading's anchor, as GitHub and MyST make it."""
    headings = HEADING.findall(CODE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def check_the_links(page: Path) -> None:
    for link in LINK.finditer(CODE.sub("", page.read_text())):
        target = page.parent / link[1] if link[1] else page
        if not target.exists():
            raise AssertionError(f"{page} links to {link[1]}, which is not there")
        if link[2] and link[2] not in anchors_of(target):
            raise AssertionError(f"{page} links to {link[1]}#{link[2]}, and there is no such heading")
