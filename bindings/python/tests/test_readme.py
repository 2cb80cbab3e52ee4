"""What the README says, done."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from .complaints import complaints
from .servers import PATIENCE, REPOSITORY, TARGET, Server

README = (REPOSITORY / "bindings" / "python" / "README.md").read_text()
STEPS = re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S)
PROGRAMS = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
# The first build of a fresh clone; `make wheel` is next to nothing afterwards.
FIRST_TIME = 1200


def test_every_block_is_known() -> None:
    assert len(STEPS) == 1
    assert len(PROGRAMS) * 2 + len(STEPS) * 2 == len(re.findall(r"^ *```", README, re.M))


@pytest.mark.timeout(FIRST_TIME)
def test_the_strangers_path() -> None:
    """The commands as they stand there, from the root of the clone, in the order in which they stand."""
    commands = STEPS[0].splitlines()
    assert len(commands) <= 3
    shutil.rmtree(TARGET / "try", ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("IM_", "PYTHON", "MAKE"))}
    shown = ""
    for command in commands:
        # The README's target is where cargo builds.
        command = re.sub(r"\btarget/", f"{TARGET}/", command)
        done = subprocess.run(
            ["bash", "-c", command], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=FIRST_TIME
        )
        assert done.returncode == 0, done
        shown = done.stdout
    assert "✓ stored 1\n" in shown
    assert "echo: hi\n" in shown


EXPECTED = [
    r"(echo says hi\n)?stored as \d+\n(echo says hi\n)?",
    r"echo says hi\n",
    r'unknown option "auto_conect"; did you mean "auto_connect"\? \(IM_ERROR_OPTION\)\n',
    r"refused: AUTH_FAILED\ndisconnected, comes back: False\nIM_ERROR_TIMEOUT\n",
]


@pytest.mark.parametrize(
    ("program", "expected"), zip(PROGRAMS, EXPECTED), ids=["first", "asyncio", "options", "errors"]
)
def test_the_programs(program: str, expected: str, embedded: Server) -> None:
    text = program.replace("http://127.0.0.1:7001", embedded.root)
    assert text != program
    command = [sys.executable, "-X", "dev", "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, complaints(done.stderr)) == (0, "")
    assert re.fullmatch(expected, done.stdout), done.stdout


def test_every_program_has_its_expectation() -> None:
    assert len(PROGRAMS) == len(EXPECTED)
