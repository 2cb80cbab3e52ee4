"""The checks of the documentation find what is wrong: python3 -m unittest tests.documentation.test_checks"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests.documentation import story
from tests.documentation.__main__ import check_data, check_the_languages, check_the_names, check_the_readme
from tests.documentation.blocks import Block, blocks_of
from tests.documentation.links import check_the_links
from tests.documentation.programs import ROOT, c_source
from tests.documentation.story import Program, play, run_commands

HERE = Path(__file__).resolve().parent


def played(script: str, *shown: str) -> None:
    program = Program([sys.executable, "-c", script], dict(os.environ), HERE)
    play(program, [Block("text", text, 1) for text in shown], dict(os.environ), HERE, {})


class Blocks(unittest.TestCase):
    def page(self, text: str) -> list[Block]:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            page.write_text(text)
            return blocks_of(page)

    def test_blocks_are_found_with_their_lines(self) -> None:
        blocks = self.page("# x\n\n```c\nint x;\n```\n\n```{toctree}\na\n```\n\n```\nplain\n```\n")
        self.assertEqual(blocks, [Block("c", "int x;\n", 3), Block("", "plain\n", 11)])

    def test_a_block_without_an_end_is_found(self) -> None:
        with self.assertRaisesRegex(ValueError, "does not end"):
            self.page("```c\nint x;\n")

    def test_code_without_a_fence_of_ours_is_found(self) -> None:
        for text in ["~~~c\nint x;\n~~~\n", "So:\n\n    int x;\n"]:
            with self.assertRaisesRegex(ValueError, "not between"):
                self.page(text)
        self.assertEqual(len(self.page("```c\nint x;\n\n    int y;\n```\n")), 1)

    def test_a_language_that_nothing_runs_is_found(self) -> None:
        for language in ["", "ruby", "{code-block} c"]:
            with self.assertRaisesRegex(AssertionError, "nothing runs"):
                check_the_languages("x", [Block(language, "", 1)])

    def test_a_program_without_output_is_found(self) -> None:
        with self.assertRaisesRegex(AssertionError, "not what it prints"):
            check_the_languages("x", [Block("c", "puts(\"x\");\n", 1)])

    def test_output_without_a_program_is_found(self) -> None:
        program, output = Block("c", "puts(\"x\");\n", 5), Block("text", "x\n", 1)
        for blocks in [[output], [output, program]]:
            with self.assertRaisesRegex(AssertionError, "no program before it"):
                check_the_languages("x", blocks)

    def test_what_a_packages_tests_do_not_run_is_found(self) -> None:
        check_the_readme("swift", [Block("sh", "", 1), Block("swift program", "", 5)])
        with self.assertRaisesRegex(AssertionError, "README.md:5: nothing runs a block of 'c'"):
            check_the_readme("kotlin", [Block("sh", "", 1), Block("c", "", 5)])
        with self.assertRaisesRegex(AssertionError, "of 2 blocks of commands one is run"):
            check_the_readme("swift", [Block("sh", "", 1), Block("sh", "", 5)])

    def test_a_link_that_leads_nowhere_is_found(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            page.write_text("# A `b`, c!\n\n[x](#a-b-c) [y](page.md#a-b-c) [z](https://example.com/#no)\n")
            check_the_links(page)
            for link in ["no.md", "#no", "page.md#no"]:
                page.write_text(f"# A\n\n[x]({link})\n")
                with self.assertRaisesRegex(AssertionError, "links to"):
                    check_the_links(page)

    def test_a_name_that_the_header_does_not_have_is_found(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            page.write_text("`im_client_new`, `IM_CODE_…`, `im_error`")
            check_the_names(page)
            for name in ["im_client_now", "IM_CODE_RELOGON", "IM_COD_…"]:
                page.write_text(f"`{name}`")
                with self.assertRaisesRegex(AssertionError, "not in im_client.h"):
                    check_the_names(page)

    def test_wrong_data_is_found(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(ValueError):
                check_data("x", [Block("json", "{", 1)], Path(folder))
            with self.assertRaisesRegex(AssertionError, "SyntaxError"):
                check_data("x", [Block("js", "const = 1;", 1)], Path(folder))


class Programs(unittest.TestCase):
    def test_declarations_stand_before_main_and_statements_in_it(self) -> None:
        blocks = [Block("c", "f(client);\n", 9), Block("c", "/* so */\nstatic void f(im_client c) {}\n", 1)]
        source = c_source("x", blocks)
        order = [source.index(part) for part in ["static void f", "int main", "im_client client =", "f(client);"]]
        self.assertEqual(order, sorted(order))

    def test_a_whole_program_stands_alone(self) -> None:
        with self.assertRaisesRegex(ValueError, "whole program"):
            c_source("x", [Block("c", "int main(void) {}\n", 1), Block("c", "f();\n", 5)])


class Stories(unittest.TestCase):
    def setUp(self) -> None:
        self.patience = story.PATIENCE_SECONDS
        story.PATIENCE_SECONDS = 5

    def tearDown(self) -> None:
        story.PATIENCE_SECONDS = self.patience

    def test_output_is_found_in_any_order_and_by_its_parts(self) -> None:
        played("print('b 17 c'); print('a'); input()", "a\nb … c\n")

    def test_output_that_does_not_come_is_found(self) -> None:
        with self.assertRaisesRegex(AssertionError, "did not print 'a'"):
            played("print('b')", "a\n")

    def test_a_line_is_there_for_one_line(self) -> None:
        with self.assertRaisesRegex(AssertionError, "did not print 'a'"):
            played("print('a')", "a\na\n")

    def test_a_program_that_fails_is_found(self) -> None:
        with self.assertRaisesRegex(AssertionError, "ended with 3"):
            played("print('a'); raise SystemExit(3)", "a\n")

    def test_a_command_that_fails_is_found(self) -> None:
        with self.assertRaisesRegex(AssertionError, "ended with 1"):
            run_commands([Block("sh", "false\ntrue\n", 1)], dict(os.environ), HERE, {})


class Matrix(unittest.TestCase):
    """tools/matrix.py, which makes docs/matrix.md, and says whether it is what the tests gave."""

    def told(self, folder: str, *languages: str) -> str:
        command = [sys.executable, str(ROOT / "tools" / "matrix.py"), "--results", folder, *languages]
        done = subprocess.run(command, capture_output=True, text=True)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    def test_it_is_whole_or_its_holes_are_named(self) -> None:
        behaviours = json.loads((ROOT / "bindings" / "behaviours.json").read_text())
        cases = [f'<testcase name="matrix_{name}"/>' for name in behaviours]
        with tempfile.TemporaryDirectory() as folder:
            for language in ["c", "cpp", "python", "swift", "kotlin"]:
                (Path(folder) / f"{language}.xml").write_text(f"<x>{''.join(cases)}</x>")
            self.assertRegex(self.told(folder), "^0 .* whole: .* in 5 languages\n$")
            self.assertRegex(self.told(folder, "c"), "^0 .* whole: .* in 1 languages\n$")
            cases[0] = cases[0].replace("/>", "><skipped/></testcase>")
            (Path(folder) / "swift.xml").write_text(f"<x>{''.join(cases[:-1])}</x>")
            first, *_, last = behaviours
            self.assertEqual(
                self.told(folder), f"1 the behaviour matrix has holes:\n  Swift: {first}: failed\n  Swift: {last}: no test\n"
            )


if __name__ == "__main__":
    unittest.main()
