#!/usr/bin/env python3
"""What `make install` puts in place serves projects that know nothing of the source tree.

The consumers are copied to a temporary folder, built there with pkg-config and with CMake, in C and in C++, against both
libraries, and run against the embedded server.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
SERVER = TARGET / "debug" / "im-server"
PROGRAMS = ["say_hi_c_shared", "say_hi_c_static", "say_hi_cpp_shared", "say_hi_cpp_static"]
INSTALLED = {
    "include/im_client.h",
    "include/im_client.hpp",
    *(f"include/im_client/{header.name}" for header in (ROOT / "include" / "im_client").glob("*.hpp")),
    "lib/libim_client.so",
    "lib/libim_client.so.0",
    "lib/libim_client.so.0.1.0",
    "lib/libim_client.a",
    "lib/pkgconfig/im_client.pc",
    "lib/cmake/im_client/im_client-config.cmake",
    "lib/cmake/im_client/im_client-config-version.cmake",
    "lib/cmake/im_client/im_client-targets.cmake",
    "share/doc/libim_client/libim_client.cdx.json",
}
SECONDS = 1800  # the first one may have to build the library


def run(*command: str | Path, cwd: Path = ROOT, **variables: str) -> str:
    # What the surrounding make and cargo say is not for the programs that are tested.
    kept = {name: value for name, value in os.environ.items() if name not in ("LD_LIBRARY_PATH", "MAKEFLAGS", "MAKELEVEL")}
    done = subprocess.run(
        command, cwd=cwd, env=kept | variables, timeout=SECONDS,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


class Install(unittest.TestCase):
    folder: Path
    prefix: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="im-install-")))
        cls.prefix = cls.folder / "prefix"
        run("make", "install", f"PREFIX={cls.prefix}")

    def consumer(self) -> Path:
        """A fresh copy of the consumer projects."""
        copy = Path(tempfile.mkdtemp(prefix="consumer-", dir=self.folder))
        return Path(shutil.copytree(ROOT / "packaging" / "consumer", copy / "consumer"))

    def configure(self, prefix: Path, *, version: str = "0.1") -> Path:
        """The build folder of the CMake consumer."""
        source = self.consumer()
        project = source / "CMakeLists.txt"
        project.write_text(project.read_text().replace("find_package(im_client 0.1 ", f"find_package(im_client {version} "))
        run("cmake", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
        return source / "build"

    def say_hi(self, folder: Path, programs: list[str]) -> None:
        for program in programs:
            self.assertIn("echo: hi", run(SERVER, "with", folder / program), program)

    def use_by_pkg_config(self, prefix: Path, programs: list[str]) -> None:
        source = self.consumer()
        run("make", *programs, cwd=source, PKG_CONFIG_PATH=str(prefix / "lib" / "pkgconfig"))
        self.say_hi(source, programs)

    def use_by_cmake(self, prefix: Path, programs: list[str]) -> None:
        build = self.configure(prefix)
        run("cmake", "--build", build, "--parallel", "2", "--target", *programs)
        self.say_hi(build, programs)

    def test_serves_consumers_in_c_and_cpp(self) -> None:
        self.assertEqual(files_in(self.prefix), INSTALLED)
        self.use_by_pkg_config(self.prefix, PROGRAMS)
        self.use_by_cmake(self.prefix, PROGRAMS)

    def test_may_be_moved(self) -> None:
        for text in (*self.prefix.rglob("*.pc"), *self.prefix.rglob("*.cmake")):
            for place in (ROOT, self.prefix):
                self.assertNotIn(str(place), text.read_text(), text)
        moved = self.folder / "moved"
        self.prefix.rename(moved)
        self.addCleanup(moved.rename, self.prefix)
        self.use_by_pkg_config(moved, ["say_hi_c_shared"])
        self.use_by_cmake(moved, ["say_hi_c_shared", "say_hi_cpp_static"])

    def test_has_other_folders_for_packagers_and_goes_again(self) -> None:
        stage = self.folder / "stage"
        variables = [f"DESTDIR={stage}", "PREFIX=/usr", "LIBDIR=/usr/lib/x86_64-linux-gnu"]
        run("make", "install", *variables)
        wanted = {name.replace("lib/", "lib/x86_64-linux-gnu/", 1) if name.startswith("lib/") else name for name in INSTALLED}
        self.assertEqual(files_in(stage / "usr"), wanted)
        build = self.configure(stage / "usr")
        run("cmake", "--build", build, "--parallel", "2", "--target", "say_hi_c_shared")
        self.say_hi(build, ["say_hi_c_shared"])
        other = stage / "usr" / "include" / "other.h"
        other.touch()
        run("make", "uninstall", *variables)
        self.assertEqual(files_in(stage), {"usr/include/other.h"})
        self.assertFalse((stage / "usr" / "include" / "im_client").exists())

    def test_goes_into_folders_of_any_name(self) -> None:
        prefix = self.folder / "it's a & b"
        variables = [f"PREFIX={prefix}", "LIBDIR=lib & more"]
        run("make", "install", *variables)
        self.assertEqual(files_in(prefix), {re.sub("^lib/", "lib & more/", name) for name in INSTALLED})
        build = self.configure(prefix / "lib & more" / "cmake")
        run("cmake", "--build", build, "--parallel", "2", "--target", "say_hi_c_shared", "say_hi_cpp_static")
        self.say_hi(build, ["say_hi_c_shared", "say_hi_cpp_static"])
        run("make", "uninstall", *variables)
        self.assertEqual(files_in(prefix), set())

    def test_serves_who_asks_for_its_minor_version(self) -> None:
        for version in ("0.1", "0.1.0 EXACT", ""):
            self.configure(self.prefix, version=version)
        for version in ("0.0", "0.2", "0.1.1", "1"):
            with self.assertRaisesRegex(AssertionError, "im_client-config.cmake, version: 0.1.0", msg=version):
                self.configure(self.prefix, version=version)


if __name__ == "__main__":
    unittest.main()
