#!/usr/bin/env python3
"""Starts the servers of the tests, runs a program with their URLs in IM_TEST_<server>, and ends them."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "c" / "tests"))
from servers import Server  # noqa: E402

SECONDS = 300
KINDS = {"socketio2": "socketio2", "socketio4": "socketio4", "egg": "egg", "embedded": "im-server"}


def main() -> int:
    with ExitStack() as stack:
        servers = {name: stack.enter_context(Server(kind)) for name, kind in KINDS.items()}
        environment = servers["egg"].environment | {f"IM_TEST_{name}": server.root for name, server in servers.items()}
        return subprocess.run(sys.argv[1:], env=environment, timeout=SECONDS).returncode


if __name__ == "__main__":
    sys.exit(main())
