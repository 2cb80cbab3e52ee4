"""`make abi` finds what it is there to find: each change is planted in a copy of the header."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

from tools import abi

LIBRARY = Path(os.environ["IM_LIBRARY"])
STATE = "int32_t im_client_state(im_client client);"


class Planted(unittest.TestCase):
    def setUp(self) -> None:
        self.place = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="im-abi-")))
        self.header = self.place / "im_client.h"

    def plant(self, old: str, new: str) -> str:
        """What is told of a header with this change."""
        text = abi.HEADER.read_text()
        self.assertEqual(text.count(old), 1, old)
        self.header.write_text(text.replace(old, new))
        return abi.changes(abi.describe(self.place, self.header))

    def test_no_change_is_none(self) -> None:
        self.assertEqual(self.plant(STATE, STATE), "")

    def test_a_changed_result_is_found(self) -> None:
        self.assertIn("im_client_state", self.plant(STATE, STATE.replace("int32_t", "int64_t")))

    def test_a_changed_parameter_is_found(self) -> None:
        self.assertIn("im_client_state", self.plant(STATE, STATE.replace("im_client client", "const char *client")))

    def test_a_removed_function_is_found(self) -> None:
        self.assertIn("im_client_state", self.plant(STATE, ""))
        self.assertEqual(
            abi.wrong_symbols(LIBRARY, self.header),
            [f"{LIBRARY.name} exports im_client_state, which is not in the header"],
        )

    def test_a_function_that_the_library_lacks_is_found(self) -> None:
        self.assertIn("im_client_mood", self.plant(STATE, f"{STATE}\nint32_t im_client_mood(void);"))
        self.assertEqual(abi.wrong_symbols(LIBRARY, self.header), [f"{LIBRARY.name} has no im_client_mood"])

    def test_a_changed_field_of_a_struct_is_found(self) -> None:
        self.assertIn("request", self.plant("int64_t request;", "int32_t request;"))


if __name__ == "__main__":
    unittest.main()
