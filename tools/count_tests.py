#!/usr/bin/env python3
"""Counts the tests of a ctest run: those inside each GoogleTest program and each run of pytest, and 1 for every other program.

    tools/count_tests.py LAST_TEST_LOG

LAST_TEST_LOG is Testing/Temporary/LastTest.log of the build folder. Prints `N passed, N failed`; exit 1 when one failed
or none ran. A program that fails with no failed test of its own (it crashed, or leaked at its end) counts as a failed test.
"""
import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^\d+/\d+ Testing: ", re.MULTILINE)
RAN = re.compile(r"^\[=+\] (\d+) tests? from \d+ test suites? ran\.", re.MULTILINE)
PYTEST = re.compile(r"^(?:(\d+) failed(?:, )?)?(?:(\d+) passed)?.* in [0-9.]+s(?: \([0-9:]+\))?$", re.MULTILINE)
FAILED = re.compile(r"^\[  FAILED  \] (\d+) tests?, listed below:", re.MULTILINE)
PASSED_PROGRAM = re.compile(r"^Test Passed\.$", re.MULTILINE)
NOT_TESTED = re.compile(r"^\w+: the [\w ]+ is not (?:tested|built)|^browser test: skipped,", re.MULTILINE)  # ctest writes that a skipped test passed


def count(log):
    """(passed, failed) of the text of a LastTest.log."""
    passed = failed = 0
    for block in BLOCK.split(log)[1:]:
        if NOT_TESTED.search(block):
            continue
        succeeded = PASSED_PROGRAM.search(block) is not None
        ran = sum(int(number) for number in RAN.findall(block))
        bad = sum(int(number) for number in FAILED.findall(block))
        for lost, won in PYTEST.findall(block):
            ran, bad = ran + int(lost or 0) + int(won or 0), bad + int(lost or 0)
        if ran == 0:
            ran, bad = 1, 0 if succeeded else 1
        elif not succeeded and bad == 0:
            ran, bad = ran + 1, 1
        passed += ran - bad
        failed += bad
    return passed, failed


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    passed, failed = count(Path(sys.argv[1]).read_text(encoding="utf-8", errors="replace"))
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0 or passed == 0)


if __name__ == "__main__":
    main()
