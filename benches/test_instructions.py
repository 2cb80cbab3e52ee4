"""The guard fails where it has to: python3 -m unittest benches.test_instructions."""

import contextlib
import io
import unittest

from benches.instructions import CASES, Verdict, counted, judge, say


def said(verdict: Verdict) -> tuple[int, str]:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        status = say(verdict)
    return status, output.getvalue()


class Guard(unittest.TestCase):
    def test_more_than_the_room_fails(self) -> None:
        verdict = judge({"receive": 1000, "emit": 1000}, {"receive": 1051, "emit": 1049})
        self.assertEqual(verdict, Verdict(dearer=("receive",), cheaper=()))
        status, text = said(verdict)
        self.assertEqual(status, 1)
        self.assertIn("MORE than 5% above what instructions.json allows: receive.", text)

    def test_what_is_not_committed_fails(self) -> None:
        self.assertEqual(judge({}, {"receive": 1}).dearer, ("receive",))

    def test_fewer_asks_for_renewal_and_does_not_fail(self) -> None:
        verdict = judge({"receive": 1000, "emit": 1000}, {"receive": 949, "emit": 951})
        self.assertEqual(verdict, Verdict(dearer=(), cheaper=("receive",)))
        status, text = said(verdict)
        self.assertEqual(status, 0)
        self.assertIn("Much fewer: receive.", text)

    def test_a_report_without_a_count_is_no_zero(self) -> None:
        self.assertEqual(counted("==7== Events    : Ir\n==7== Collected : 17979561\n==7==\n"), 17979561)
        with self.assertRaises(SystemExit):
            counted("==7== Process terminating\n")

    def test_every_case_has_its_own_name(self) -> None:
        self.assertEqual(len({case.name for case in CASES}), len(CASES))
