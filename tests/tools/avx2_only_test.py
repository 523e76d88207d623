#!/usr/bin/env python3
"""tools/avx2_only/run on the built command.

    tests/tools/avx2_only_test.py COMMAND
"""
import json
import platform
import subprocess
import sys
import unittest
from pathlib import Path

RUN = Path(__file__).resolve().parents[2] / "tools/avx2_only/run"
COMMAND = sys.argv.pop() if len(sys.argv) > 1 else ""


def processor(prefix):
    done = subprocess.run([*prefix, COMMAND, "--version", "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["processor"]


class Avx2Only(unittest.TestCase):
    def test_hides_what_multiplies_without_saturation(self):
        before, told = processor([]), processor([RUN])
        self.assertEqual(told["features"], [name for name in before["features"] if name == "avx2"])
        self.assertFalse(told["multiplies_without_saturation"])

    def test_keeps_the_exit_code(self):
        done = subprocess.run([RUN, COMMAND, "inspect", "missing.onnx"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, subprocess.run([COMMAND, "inspect", "missing.onnx"], capture_output=True, check=False).returncode)
        self.assertIn("missing.onnx", done.stderr)

    def test_a_command_that_is_not_there_is_named(self):
        done = subprocess.run([RUN, "no-such-command"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no command no-such-command", done.stderr)


if __name__ == "__main__":
    if platform.machine() != "x86_64":
        print("avx2_only: the processor is not tested here, it is no x86-64")
        sys.exit(77)
    unittest.main()
