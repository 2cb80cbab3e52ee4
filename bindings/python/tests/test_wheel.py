"""The wheel that `make wheel` makes."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import im_client

from .servers import TARGET


def wheel() -> Path:
    (made,) = (TARGET / "python" / "wheels").glob("*.whl")
    return made


def test_the_tests_are_of_the_installed_wheel() -> None:
    assert im_client.__file__ is not None
    assert Path(im_client.__file__).is_relative_to(sys.prefix)


def test_its_name_says_the_oldest_system_that_it_runs_on() -> None:
    told = subprocess.check_output([sys.executable, "-m", "auditwheel", "show", wheel()], text=True)
    tag = re.search(r'consistent with\s+the following platform tag:\s+"(\w+)"', told)
    assert tag is not None, told
    assert wheel().name == f"im_client-{im_client.__version__}-py3-none-{tag[1]}.whl"


def test_it_has_the_package_and_the_library_alone() -> None:
    names = zipfile.ZipFile(wheel()).namelist()
    assert "im_client/libim_client.so" in names
    assert "im_client/py.typed" in names
    assert {name.split("/")[0] for name in names} == {"im_client", f"im_client-{im_client.__version__}.dist-info"}


def test_a_typed_program_is_checked_against_it(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from im_client import CHAT_MESSAGE, Client, Event, Options, State\n"
        "options: Options = {'ack_timeout': 5, 'ask_query': lambda attempt: {'attempt': attempt}}\n"
        "client = Client('http://127.0.0.1:9', 'chat', **options)\n"
        "@client.on(CHAT_MESSAGE)\n"
        "def show(event: Event) -> None: ...\n"
        "reveal_type(client.state)\n"
        "reveal_type(show)\n"
        "Client('http://127.0.0.1:9', 'chat', auto_conect=False)\n"
        "client.on(5, show)\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(program)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert 'Revealed type is "im_client.constants.State"' in told
    assert 'Revealed type is "def (event: im_client._event.Event)"' in told
    assert 'Unexpected keyword argument "auto_conect"' in told
    assert told.count("error:") == 2, told
