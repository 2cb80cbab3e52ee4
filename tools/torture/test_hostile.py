"""That `make torture-hostile` sees what fails, and what does not run."""

from __future__ import annotations

import unittest

from tools.torture.hostile import TESTS, counted


def log(names: list[str], result: str) -> str:
    return "\n".join([*(f"test {name} ... ok" for name in names), result, ""])


class Counted(unittest.TestCase):
    all_ran = [f"{tests}{'' if tests.endswith('::') else '::'}some" for tests in TESTS]
    good = "test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1.00s"

    def test_what_passed_is_counted(self) -> None:
        self.assertEqual(counted(log(self.all_ran, self.good)), (9, 0))

    def test_what_failed_is_counted(self) -> None:
        bad = "test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out"
        self.assertEqual(counted(log(self.all_ran, bad)), (7, 2))

    def test_what_was_left_out_failed(self) -> None:
        self.assertEqual(counted(log(self.all_ran, self.good.replace("0 ignored", "3 ignored"))), (9, 3))
        self.assertEqual(counted(log(self.all_ran[1:], self.good)), (9, 1))

    def test_a_run_without_an_end_failed(self) -> None:
        self.assertEqual(counted(log(self.all_ran, "Segmentation fault")), (0, 1))


if __name__ == "__main__":
    unittest.main()
