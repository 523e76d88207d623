#!/usr/bin/env python3
"""tools/count_tests.py on logs as ctest writes them."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from count_tests import count  # noqa: E402


def block(number, output, verdict):
    return f"""{number}/3 Testing: room_{number}
{number}/3 Test: room_{number}
Output:
----------------------------------------------------------
{output}
<end of output>
Test time =   0.10 sec
----------------------------------------------------------
{verdict}
"""


PASSED = "Running main()\n[==========] 12 tests from 3 test suites ran. (5 ms total)\n[  PASSED  ] 12 tests."
FAILED = ("[==========] 1 test from 1 test suite ran. (5 ms total)\n[  PASSED  ] 0 tests.\n"
          "[  FAILED  ] 1 test, listed below:\n[  FAILED  ] Suite.Name\n\n 1 FAILED TEST")


class CountTests(unittest.TestCase):
    def test_adds_the_tests_of_all_programs(self):
        log = "Start testing\n" + block(1, PASSED, "Test Passed.") + block(2, FAILED, "Test Failed.")
        self.assertEqual(count(log), (12, 1))

    def test_a_program_without_tests_of_its_own_is_one(self):
        self.assertEqual(count(block(1, "fine", "Test Passed.")), (1, 0))
        self.assertEqual(count(block(1, "layers: an arrow points up", "Test Failed.")), (0, 1))

    def test_a_program_that_crashes_is_a_failed_test(self):
        self.assertEqual(count(block(1, "[ RUN      ] Suite.Name", "Test Failed.")), (0, 1))
        self.assertEqual(count(block(1, PASSED + "\nERROR: LeakSanitizer", "Test Failed.")), (12, 1))

    def test_counts_what_pytest_ran(self):
        self.assertEqual(count(block(1, "....\n165 passed, 2 skipped in 75.60s (0:01:15)", "Test Passed.")), (165, 0))
        self.assertEqual(count(block(1, "F...\n1 failed, 3 passed in 5.10s", "Test Failed.")), (3, 1))
        self.assertEqual(count(block(1, "F\n1 failed in 5.10s", "Test Failed.")), (0, 1))

    def test_a_package_that_cannot_be_built_here_counts_for_nothing(self):
        text = "test_python: the package is not tested for want of the headers of Python"
        self.assertEqual(count(block(1, text, "Test Passed.")), (0, 0))

    def test_a_site_that_cannot_be_built_here_counts_for_nothing(self):
        text = "docs: the site is not built for want of Python with venv"
        self.assertEqual(count(block(1, text, "Test Passed.")), (0, 0))

    def test_a_page_that_no_browser_opened_counts_for_nothing(self):
        text = "browser test: skipped, there is no node"
        self.assertEqual(count(block(1, text, "Test Passed.")), (0, 0))

    def test_nothing_is_nothing(self):
        self.assertEqual(count(""), (0, 0))


if __name__ == "__main__":
    unittest.main()
