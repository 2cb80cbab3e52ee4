"""The guard fails where it has to: python3 -m unittest benches.test_instructions."""

import unittest

from benches.instructions import CASES, Verdict, counted, judge, say


class Guard(unittest.TestCase):
    def test_more_than_the_room_fails(self) -> None:
        verdict = judge({"receive": 1000, "emit": 1000}, {"receive": 1051, "emit": 1049})
        self.assertEqual(verdict, Verdict(dearer=("receive",), cheaper=()))
        self.assertEqual(say(verdict), 1)

    def test_what_is_not_committed_fails(self) -> None:
        self.assertEqual(judge({}, {"receive": 1}).dearer, ("receive",))

    def test_fewer_asks_for_renewal_and_does_not_fail(self) -> None:
        verdict = judge({"receive": 1000, "emit": 1000}, {"receive": 949, "emit": 951})
        self.assertEqual(verdict, Verdict(dearer=(), cheaper=("receive",)))
        self.assertEqual(say(verdict), 0)

    def test_a_report_without_a_count_is_no_zero(self) -> None:
        self.assertEqual(counted("==7== Events    : Ir\n==7== Collected : 17979561\n==7==\n"), 17979561)
        with self.assertRaises(SystemExit):
            counted("==7== Process terminating\n")

    def test_every_case_has_its_own_name(self) -> None:
        self.assertEqual(len({case.name for case in CASES}), len(CASES))
