#!/usr/bin/env python3
"""What the README says is done here, word by word; so are the examples, against the embedded server, and the refusals of
tools/swift_root.sh. Runs where `make chat` has been."""

import json
import os
import plistlib
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TREE / "target"))
ROOT_SCRIPT = TREE / "tools" / "swift_root.sh"
SERVER = TARGET / "debug" / "im-server"
README = (HERE / "README.md").read_text()
LIMIT = 300


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run(*command: object, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    line = [str(part) for part in command]
    return subprocess.run(
        line, cwd=TREE, input=stdin, env={**os.environ, **environment}, capture_output=True, text=True, timeout=LIMIT, check=False
    )


def swift(*command: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    packages = f"PKG_CONFIG_PATH={TARGET}/swift/pkgconfig"
    return run(ROOT_SCRIPT, "run", "env", packages, "swift", *command, stdin=stdin)


class StrangersPath(unittest.TestCase):
    def test_the_first_lines_of_the_readme_end_in_a_chat(self) -> None:
        path = blocks("sh")[0]
        self.assertLessEqual(len(path.strip().splitlines()), 3)
        # The target folder is the one of this run.
        done = run("bash", "-euo", "pipefail", "-c", path.replace("target/", f"{TARGET}/"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("* connected by websocket\n", done.stdout)
        self.assertIn("\necho: hi\n", done.stdout)


class ReadmeCode(unittest.TestCase):
    """One package of all code in the README: its manifest, its first program, and the rest as a function."""

    def test_every_block_compiles_and_the_first_program_runs(self) -> None:
        package = TARGET / "swift" / "readme"
        for name, text in self.files().items():
            path = package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
        flags = ["-Xlinker", "-rpath", "-Xlinker", TARGET / "debug"]
        built = swift("build", "--package-path", package, *flags)
        self.assertEqual(built.returncode, 0, built.stdout + built.stderr)
        self.assertNotIn("warning:", built.stdout + built.stderr)
        program = package / ".build" / "debug" / "my-chat"
        ran = run(SERVER, "with", "sh", "-c", f'{ROOT_SCRIPT} run {program} "$IM_ROOT"')
        self.assertEqual((ran.returncode, ran.stdout), (0, "stored as 1\necho: hi\n"), ran.stderr)

    def files(self) -> dict[str, str]:
        (manifest,), (program,), rest = blocks("swift package"), blocks("swift program"), blocks("swift")
        self.assertEqual(len(rest), README.count("```swift\n"))
        manifest = manifest.replace("../im-client/bindings/swift", str(HERE))
        functions = "\n".join(f"func block{n}(_ client: Client) async throws {{\n{block}}}\n" for n, block in enumerate(rest))
        return {
            "Package.swift": manifest,
            "Sources/my-chat/main.swift": program,
            "Sources/my-chat/blocks.swift": f"import Foundation\nimport ImClient\n\n{functions}",
        }


class Examples(unittest.TestCase):
    def chat(self, script: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A script beside a server; `chat` and `qr_login` in it are the examples."""
        functions = "".join(f'{name}() {{ {ROOT_SCRIPT} run {TARGET}/swift/{name} "$@"; }}\n' for name in ("chat", "qr_login"))
        return run(SERVER, "with", "bash", "-euo", "pipefail", "-c", f"{functions}server() {{ {SERVER} \"$@\"; }}\n{script}", stdin=stdin)

    def test_lines_are_stored_in_their_order_and_answered(self) -> None:
        done = self.chat("chat", stdin="one\n\ntwo\x1b[2J\nthree 😀\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        # Events and confirmations are two tasks of the program: only the lines of one of them have an order.
        self.assertIn("* connected by websocket", lines)
        self.assertIn("* 111 is online", lines)
        stored = [int(line.split()[2]) for line in lines if line.startswith("✓ stored ")]
        self.assertEqual(len(stored), 3)
        self.assertEqual(stored, sorted(stored))
        answers = [line for line in lines if line.startswith("echo: ")]
        self.assertEqual(answers, ["echo: one", "echo: two [2J", "echo: three 😀"])

    def test_messages_wait_for_who_is_away(self) -> None:
        done = self.chat("echo later | chat --peer 222 >/dev/null; echo thanks | chat --user 222 --peer 111")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("111: later\n", done.stdout)

    def test_a_second_device_kicks_the_first_out(self) -> None:
        script = """
            coproc first { chat; }
            first_pid=$first_PID
            exec 4<&"${first[0]}"
            read -r line <&4; echo "$line"
            echo hi | chat >/dev/null
            cat <&4
            wait $first_pid || echo "exit $?"
        """
        done = self.chat(script)
        self.assertIn("! IM_CODE_OTHER_DEVICE (20004, ", done.stdout)
        self.assertIn("* disconnected: ", done.stdout)
        self.assertTrue(done.stdout.endswith("exit 3\n"), done.stdout + done.stderr)

    def test_a_bad_token_and_a_bad_flag_are_failures(self) -> None:
        refused = self.chat("echo hi | chat --token bad")
        self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertIn("! IM_CODE_AUTH_FAILED (20001, ", refused.stdout)
        wrong = self.chat("chat --no-such-flag x")
        self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
        nowhere = self.chat("chat --root nowhere")
        self.assertEqual(nowhere.returncode, 1)
        self.assertIn("IM_ERROR_OPTION (-5): ", nowhere.stderr)

    def test_a_phone_signs_a_computer_in(self) -> None:
        script = """
            coproc login { qr_login --device-id 'pc 1'; }
            login_pid=$login_PID
            exec 4<&"${login[0]}"
            read -r line <&4; echo "$line"
            read -r line <&4; echo "$line"
            server phone --url "$IM_ROOT" --device-id 'pc 1' --user 111
            cat <&4
            wait $login_pid
        """
        done = self.chat(script)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        url, device, phone, token = done.stdout.splitlines()
        self.assertRegex(url, r"^url: http://127\.0\.0\.1:\d+/qrlogin\?device_id=pc%201$")
        self.assertEqual((device, token), ("device id: pc 1", f"token: {phone}"))


class XCFramework(unittest.TestCase):
    """What can be seen of it without a Mac: the tools of Xcode are scripts here that write down how they are called."""

    KEEP = 'out() { while [ "$1" != "$flag" ]; do shift; done; echo "$2"; }; '
    TOOLS = {
        "uname": "echo Darwin",
        "cargo": "exit 0",
        "nm": "echo 0 T _im_client_new; echo 0 T _rust_eh_personality",
        "xcrun": 'case "$*" in *--show-sdk-version) echo 17.5; exit ;; esac; echo "$*" >>"$CALLS"; flag=-o; touch "$(out "$@")"',
        "lipo": 'flag=-output; touch "$(out "$@")"',
        "xcodebuild": 'echo "$*" >>"$CALLS"; flag=-headers; from=$(out "$@"); flag=-output; cp -r "$from" "$(out "$@")"',
    }

    def test_its_module_is_found_and_its_linker_told_the_platform(self) -> None:
        with tempfile.TemporaryDirectory(dir=TARGET / "swift") as folder:
            tools, calls, out = Path(folder) / "tools", Path(folder) / "calls", Path(folder) / "out"
            tools.mkdir()
            for name, script in self.TOOLS.items():
                (tools / name).write_text(f"#!/bin/sh\n{self.KEEP}{script}\n")
                (tools / name).chmod(0o755)
            done = run(HERE / "xcframework.sh", out, PATH=f"{tools}:{os.environ['PATH']}", CALLS=str(calls))
            self.assertEqual(done.returncode, 0, done.stderr)
            told = calls.read_text()
            for platform in ("ios 16.0", "ios-simulator 16.0", "macos 13.0"):
                self.assertIn(f" -platform_version {platform} 17.5 ", told)
            self.assertEqual(told.count(" -headers "), 3)
            # As Xcode has it: the headers of all libraries in one folder.
            headers = out / "CImClient.xcframework"
            self.assertEqual([path.name for path in headers.iterdir()], ["CImClient"])
            program = Path(folder) / "program.swift"
            program.write_text("import CImClient\nlet clients: Int = im_client_count()\n")
            compiled = run(ROOT_SCRIPT, "run", "swiftc", "-typecheck", "-I", headers, program)
            self.assertEqual(compiled.returncode, 0, compiled.stderr)


    def test_with_it_the_package_brings_its_privacy_manifest(self) -> None:
        dump = ["swift", "package", "--package-path", HERE, "--scratch-path", TARGET / "swift" / "manifest", "dump-package"]
        for framework, resources in ((["IM_CLIENT_XCFRAMEWORK=CImClient.xcframework"], ["PrivacyInfo.xcprivacy"]), ([], [])):
            done = run(ROOT_SCRIPT, "run", "env", *framework, *dump)
            self.assertEqual(done.returncode, 0, done.stderr)
            (target,) = (one for one in json.loads(done.stdout)["targets"] if one["name"] == "ImClient")
            self.assertEqual([one["path"] for one in target["resources"]], resources)
        manifest = plistlib.loads((HERE / "Sources" / "ImClient" / "PrivacyInfo.xcprivacy").read_bytes())
        self.assertFalse(manifest["NSPrivacyTracking"])


class NoPlaceForSwift(unittest.TestCase):
    """What is missing is named, before anything is made."""

    def refused(self, command: str, **fakes: str) -> str:
        """Of a folder that is not there."""
        with tempfile.TemporaryDirectory() as folder:
            tools = {"swift": "exit 1", **fakes}
            for name, script in tools.items():
                path = Path(folder) / name
                path.write_text(f"#!/bin/sh\n{script}\n")
                path.chmod(0o755)
            root = Path(folder) / "root"
            done = run(ROOT_SCRIPT, *command.split(), PATH=f"{folder}:{os.environ['PATH']}", IM_SWIFT_ROOT=str(root))
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("LANGUAGES=", done.stderr)
            self.assertFalse(root.exists() and any(root.iterdir()))
            return done.stderr

    def test_too_little_disk(self) -> None:
        self.assertRegex(self.refused("make", df="echo Avail; echo 5120000"), r"8 GB of free disk at .*, and there are 5000 MB")

    def test_no_right_to_mount(self) -> None:
        self.assertIn("does not allow mounts", self.refused("make", unshare="exit 1"))

    def test_not_root(self) -> None:
        self.assertIn("needs root", self.refused("make", id="echo 1000"))

    def test_a_folder_of_somebody_else_is_left_alone(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "thesis.txt"
            kept.write_text("years of work")
            done = run(ROOT_SCRIPT, "make", IM_SWIFT_ROOT=folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("is not empty", done.stderr)
            self.assertEqual(kept.read_text(), "years of work")

    def test_nothing_made_yet(self) -> None:
        self.assertIn("make -C bindings/swift root", self.refused("run true"))

    def test_a_swift_of_the_machine_is_taken_if_it_is_new_enough(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "swift"
            environment = {k: v for k, v in os.environ.items() if k != "IM_SWIFT_ROOT"}
            environment["PATH"] = f"{folder}:{environment['PATH']}"
            for version, taken in (("5.9", True), ("6.0.3", True), ("10.0", True), ("5.8.1", False), ("4.99", False)):
                path.write_text(f"#!/bin/sh\necho 'Swift version {version} (swift-{version}-RELEASE)'\n")
                path.chmod(0o755)
                done = subprocess.run([str(ROOT_SCRIPT), "where"], env=environment, capture_output=True, text=True, check=True)
                self.assertEqual(done.stdout == "native\n", taken, version)


if __name__ == "__main__":
    unittest.main(verbosity=2)
