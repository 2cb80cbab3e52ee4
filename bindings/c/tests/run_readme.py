#!/usr/bin/env python3
"""Runs all that a README of this project shows, for C and C++.

`sh` blocks run in the project's root, in their order, as a stranger would type them (with a home folder of its own, so that
nothing of this machine's changes). The first one is the stranger's path: at most three lines, the last of which ends in a chat
with the user echo. `c` and `cpp` blocks are compiled against the library that the blocks before installed there; those with a
`main` are programs, which have to stand in examples/, and are run; others are a function's body. `cmake` blocks have to be
lines of packaging/consumer/CMakeLists.txt.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from servers import EMBEDDED, ROOT, TARGET, Server

SECONDS = 1800  # the first command may have to build the library
BODIES = {
    "c": "#include <im_client.h>\n#include <pthread.h>\n#include <stdio.h>\n#include <string.h>\n%s\n",
    "cpp": "#include <fstream>\n#include <im_client.hpp>\n#include <im_client/nlohmann.hpp>\n#include <iostream>\n"
    "[[maybe_unused]] static void body([[maybe_unused]] im::Client client) {\n%s\n}\n",
}
COMPILERS = {"c": ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror"], "cpp": ["c++", "-std=c++17", "-Wall", "-Wextra", "-Werror"]}


def blocks(readme: Path) -> list[tuple[str, str]]:
    return re.findall(r"^```(\w+)\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)


class Stranger:
    """Somebody with a fresh home folder."""

    def __init__(self, home: Path):
        self.home = home
        # Rust is where it was; what the surrounding make and cargo say is not for the stranger.
        dropped = ("LD_LIBRARY_PATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
        self.environment = {name: value for name, value in os.environ.items() if name not in dropped}
        for variable, folder in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv")):
            self.environment.setdefault(variable, str(Path.home() / folder))
        self.environment |= {"HOME": str(home), "CARGO_TARGET_DIR": str(TARGET)}

    def run(self, command: list[str], text: str | None = None, **variables: str) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment | variables, input=text, text=True, timeout=SECONDS,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode != 0:
            sys.exit(f"{command}: exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def shell(self, block: str) -> str:
        return self.run(["bash", "-euo", "pipefail", "-c", block])

    def compile(self, language: str, block: str) -> None:
        is_program = re.search(r"^int main\(", block, re.MULTILINE) is not None
        source = self.home / f"block.{language}"
        source.write_text(block if is_program else BODIES[language] % block)
        flags = ["-I", str(ROOT / "include"), "-L", str(TARGET / "debug"), f"-Wl,-rpath,{TARGET / 'debug'}"]
        if not is_program:
            self.run([*COMPILERS[language], "-fsyntax-only", *flags, str(source)])
            return
        if block not in [example.read_text() for example in (ROOT / "examples" / language).glob(f"*.{language}")]:
            sys.exit(f"no program of examples/{language} is\n{block}")
        self.run([*COMPILERS[language], "-o", str(self.home / "program"), str(source), *flags, "-lim_client"])
        with Server(EMBEDDED) as server:
            self.run([str(self.home / "program"), server.root], text="\n", IM_ROOT=server.root)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readme", type=Path)
    all_blocks = blocks(parser.parse_args().readme)
    consumer = (ROOT / "packaging" / "consumer" / "CMakeLists.txt").read_text()
    with tempfile.TemporaryDirectory(prefix="im-readme-") as home:
        stranger = Stranger(Path(home))
        first = all_blocks[0][1].splitlines()
        if all_blocks[0][0] != "sh" or len(first) > 3:
            sys.exit("the first block is the stranger's path: a block of sh of at most three commands")
        for index, (language, block) in enumerate(all_blocks):
            print(f"block {index + 1} of {len(all_blocks)}: {language}", flush=True)
            if language == "sh":
                output = stranger.shell(block)
                if index == 0 and "echo: hi" not in output.splitlines():
                    sys.exit(f"the stranger's path did not end in a chat:\n{output}")
            elif language == "cmake":
                missing = [line for line in block.splitlines() if line.strip() not in consumer]
                if missing:
                    sys.exit(f"not in packaging/consumer/CMakeLists.txt: {missing}")
            else:
                stranger.compile(language, block)
    return 0


if __name__ == "__main__":
    sys.exit(main())
