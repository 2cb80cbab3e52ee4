"""The library on aarch64: its C test programs and examples under qemu, against real servers on this machine.

`make aarch64` builds the library and calls this: python3 -m tests.aarch64 FOLDER_OF_THE_LIBRARY FOLDER_OF_IM_SERVER
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.servers.start import im_server, socketio

ROOT = Path(__file__).resolve().parent.parent
COMPILER = "aarch64-linux-gnu-gcc"
EMULATOR = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]
# An emulator on a busy machine is slow; nothing waits so long where all is well.
LIMIT_SECONDS = 180
# What differs between machines: the layout of structs, atomics, threads, and cryptography in assembly. Each with the
# generations that it is run with, and the cases that are left out.
PROGRAMS: dict[str, tuple[list[int], set[str]]] = {
    "strings": ([4], set()),
    "handles": ([4], set()),
    "order": ([4], set()),
    "once": ([2], set()),
    "reply": ([2, 4], set()),
    "binary": ([2, 4], set()),
    "destroy_async": ([4], set()),
    "pull": ([4], set()),
    "wake_fd": ([2], set()),
    # qemu tells that a thread has ended before it is out of /proc, where this case counts.
    "store": ([4], {"a_store_leaves_no_thread_and_no_descriptor_behind"}),
}


class Board:
    """An aarch64 machine: what is compiled for it, and runs on it."""

    def __init__(self, library: Path, place: Path):
        self.place = place
        for name in ["libim_client.so", "libim_client.so.0"]:
            (place / name).symlink_to(library / "libim_client.so")

    def compile(self, source: Path) -> Path:
        program = self.place / source.stem
        warnings = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-pthread", "-rdynamic"]
        linked = ["-L", str(self.place), "-lim_client", f"-Wl,-rpath,{self.place}"]
        include = ["-I", str(ROOT / "include")]
        subprocess.run([COMPILER, *warnings, *include, source, "-o", program, *linked], check=True)
        return program

    def run(self, program: Path, *arguments: str) -> str:
        command = [*EMULATOR, str(program), *arguments]
        ended = subprocess.run(command, input="\n", capture_output=True, text=True, timeout=LIMIT_SECONDS)
        if ended.returncode != 0:
            raise AssertionError(f"{command} ended with {ended.returncode}\n{ended.stdout}\n{ended.stderr}")
        return ended.stdout


def cases_of(source: Path) -> list[str]:
    """The cases of a C test program, as they stand in its source."""
    return [case for case in re.findall(r"\bCASE\((\w+)\)", source.read_text()) if case != "function"]


def test_the_machine(board: Board, library: Path) -> None:
    """What was built is what this is about."""
    header = subprocess.run(
        ["readelf", "-h", library / "libim_client.so"], check=True, capture_output=True, text=True
    ).stdout
    assert "AArch64" in header, header


def test_the_abi(board: Board) -> None:
    """The promises of the ABI, as on the machine's own processor, with both generations."""
    for name, (generations, left_out) in PROGRAMS.items():
        source = ROOT / "tests" / "c" / f"{name}.c"
        program = board.compile(source)
        wanted = [case for case in cases_of(source) if case not in left_out]
        assert wanted, f"{name} has no case"
        for generation in generations:
            with socketio(generation) as server:
                begun = time.monotonic()
                output = board.run(program, server.root, *wanted)
                seconds = time.monotonic() - begun
            passed = re.findall(rf"^ok {name}: (\w+)", output, re.MULTILINE)
            assert passed == wanted, f"{name} against Socket.IO {generation}: {passed}\n{output}"
            print(f"ok {name}: {len(wanted)} cases with Socket.IO {generation} in {seconds:.1f} s", flush=True)


def test_tls(board: Board) -> None:
    """A certificate is verified: rustls over ring, whose assembly is each processor's own."""
    program = board.compile(ROOT / "tests" / "c" / "tls_probe.c")
    certificate, key = board.place / "cert.pem", board.place / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    with socketio(4, "--cert", str(certificate), "--key", str(key)) as server:
        options = {"root": f"https://localhost:{server.port}", "nsp": "/", "proxy": "none", "reconnection": False}
        trusted = board.run(program, json.dumps(options | {"ca": certificate.read_text()}))
        assert trusted.startswith("connect "), trusted
        unknown = board.run(program, json.dumps(options))
        assert unknown.startswith("connect_error ") and "certificate" in unknown, unknown
    print("ok tls: a known certificate is taken, an unknown one is not", flush=True)


def test_an_example(board: Board, servers: Path) -> None:
    """Eight users in one event loop: messages are stored by the embedded server, and come."""
    program = board.compile(ROOT / "examples" / "c" / "event_loop.c")
    with im_server(servers) as server:
        output = board.run(program, server.root, "8")
    assert "8 users, 8 connected, 8 messages stored, 8 received" in output, output
    print("ok event_loop: eight users greet one another on the embedded server", flush=True)


def main() -> None:
    library, servers = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as place:
        board = Board(library, Path(place))
        test_the_machine(board, library)
        test_tls(board)
        test_an_example(board, servers)
        test_the_abi(board)


if __name__ == "__main__":
    main()
