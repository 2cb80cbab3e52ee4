#!/usr/bin/env python3
"""Runs the program of bindings/c/tests/matrix.c: each behaviour in a process of its own, against each server that it is about.

Writes JUnit XML. With --valgrind each behaviour runs under memcheck, against one server.
"""

import argparse
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from servers import EMBEDDED, ROOT, Server

SECONDS = 120
GENERATIONS = ["socketio2", "socketio4"]
IM_SERVERS = ["egg", EMBEDDED]
ABOUT_IM = {"send_message", "qr_login", "kick_out"}
WITHOUT_SERVER = {"error_unknown_option", "error_other_version"}
VALGRIND = [
    "valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite",
    "--show-leak-kinds=definite", f"--suppressions={ROOT / 'tests' / 'c' / 'valgrind.supp'}",
]  # fmt: skip


@dataclass
class Run:
    behaviour: str
    kind: str
    command: list[str]
    seconds: float = 0.0
    complaint: str = ""

    def go(self) -> "Run":
        start = time.monotonic()
        with Server(self.kind) as server:
            try:
                process = subprocess.run(
                    [*self.command, self.behaviour, server.root],
                    env=server.environment, timeout=SECONDS, capture_output=True, text=True,
                )  # fmt: skip
                if process.returncode != 0:
                    self.complaint = f"exit code {process.returncode}\n{process.stdout}{process.stderr}"
            except subprocess.TimeoutExpired:
                self.complaint = f"still runs after {SECONDS} s"
        self.seconds = time.monotonic() - start
        print(f"{'FAILED' if self.complaint else 'ok'} {self.behaviour} ({self.kind}) {self.complaint}", flush=True)
        return self


def servers_of(behaviour: str) -> list[str]:
    if behaviour in ABOUT_IM:
        return IM_SERVERS
    return GENERATIONS[-1:] if behaviour in WITHOUT_SERVER else GENERATIONS


def report(runs: list[Run]) -> ElementTree.ElementTree:
    suite = ElementTree.Element("testsuite", name="c", tests=str(len(runs)))
    for run in runs:
        name = f"matrix_{run.behaviour}[{run.kind}]"
        case = ElementTree.SubElement(suite, "testcase", classname="c", name=name, time=f"{run.seconds:.3f}")
        if run.complaint:
            ElementTree.SubElement(case, "failure", message=run.complaint)
    return ElementTree.ElementTree(suite)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("--xml", type=Path, help="where the report goes")
    parser.add_argument("behaviours", nargs="*", help="these alone")
    arguments = parser.parse_args()
    program = str(arguments.program.resolve())
    listed = subprocess.run([program, "--list"], check=True, capture_output=True, text=True, timeout=SECONDS)
    runs = [
        Run(behaviour, kind, [*VALGRIND, program] if arguments.valgrind else [program])
        for behaviour in listed.stdout.split()
        if not arguments.behaviours or behaviour in arguments.behaviours
        for kind in servers_of(behaviour)[-1 if arguments.valgrind else 0 :]
    ]
    with ThreadPoolExecutor(max_workers=4) as workers:
        list(workers.map(Run.go, runs))
    if arguments.xml:
        arguments.xml.parent.mkdir(parents=True, exist_ok=True)
        report(runs).write(arguments.xml, encoding="utf-8", xml_declaration=True)
    failed = [run for run in runs if run.complaint]
    print(f"{len(runs) - len(failed)} of {len(runs)} passed")
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
