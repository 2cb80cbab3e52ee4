"""The documentation site: `make docs`. Why Sphinx, and how pages are tested: docs/README.md."""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).resolve().parent.parent
logger = logging.getLogger(__name__)

project = "im-client"
author = "the im-client authors"
project_copyright = author
release = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]  # type: ignore[index]

extensions = ["myst_parser"]
myst_heading_anchors = 4
exclude_patterns = ["README.md"]
# JSON in prose keeps its quotes.
smartquotes = False
highlight_language = "none"

html_theme = "furo"
html_title = f"im-client {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False

# A page that is nothing but a link shows that file of the repository; read without the site it leads there.
FILE = re.compile(r"\A\[[^]]+\]\((\.\./\S+)\)\n\Z")
CODE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^]\n]+)\]\((?!https?:|#|mailto:)([^)\s]+)\)")


def pages_of_files() -> dict[Path, Path]:
    """The files that pages show, and the pages."""
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.name != "README.md"]
    shown = {page: FILE.search(page.read_text()) for page in pages}
    return {(page.parent / match[1]).resolve(): page for page, match in shown.items() if match}


def included(page: Path, path: str) -> str:
    """The file's text; links to what is not on the site become the names of files, for the site may be anywhere."""
    file = (page.parent / path).resolve()
    if not file.parent.exists():
        return f"# {page.stem}\n\nThis tree has no `{file.parent.relative_to(ROOT)}`."
    if not file.exists():
        logger.warning("%s shows %s, which is not there", page, file)
        return f"# {page.stem}"
    pages = pages_of_files()

    def link(match: re.Match[str]) -> str:
        target, _, anchor = match[2].partition("#")
        there = (file.parent / target).resolve()
        if not there.exists():
            logger.warning("%s links to %s, which is not there", file, match[2])
            return match[1]
        there = pages.get(there, there)
        if there.is_relative_to(ROOT / "docs") and there.suffix == ".md":
            return f"[{match[1]}]({os.path.relpath(there, page.parent)}{'#' + anchor if anchor else ''})"
        return f"{match[1]} (`{there.relative_to(ROOT)}`)"

    # What is split off by a group stays, at the odd places: code.
    parts = CODE.split(file.read_text())
    return "".join(part if index % 2 else LINK.sub(link, part) for index, part in enumerate(parts))


def show_files(app: Sphinx, name: str, text: list[str]) -> None:
    page = Path(app.srcdir) / f"{name}.md"
    text[0] = FILE.sub(lambda match: included(page, match[1]), text[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", show_files)
