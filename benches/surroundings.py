"""Where and with what was measured."""

import datetime
import json
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from benches.processes import ROOT

NODE_MODULES = ROOT / "tests" / "servers" / "node_modules"


def surroundings() -> dict[str, str]:
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores, Linux {platform.release()}",
        "im_client": f"{crate('im-client')} ({said_by('git', 'describe', '--always', '--dirty')})",
        "tokio-tungstenite": crate("tokio-tungstenite"),
        "rust_socketio": crate("rust_socketio"),
        "socket.io-client 4": package("socket.io-client-4"),
        "socket.io-client 2": package("socket.io-client-2"),
        "Node.js": said_by("node", "--version"),
        "python-socketio": version("python-socketio"),
        "Python": platform.python_version(),
        "rustc": rustc(),
    }


def processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def said_by(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def rustc() -> str:
    return said_by("rustc", "--version").split()[1]


def crate(name: str) -> str:
    """As the lock file has it; of several the newest, for that is ours."""
    found: list[str] = re.findall(rf'^name = "{name}"\nversion = "(.*)"', (ROOT / "Cargo.lock").read_text(), re.MULTILINE)
    return max(found, key=lambda text: [int(part) for part in text.split(".")])


def package(name: str) -> str:
    found: str = json.loads((NODE_MODULES / name / "package.json").read_text())["version"]
    return found
