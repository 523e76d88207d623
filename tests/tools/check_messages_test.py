"""tools/check_messages.py finds what it is there for, in a small project made for each test."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_messages.py"
DOOR = "#pragma once\nvoid observe_tensors(int count);\n// forgotten_name(\n"


class CheckMessages(unittest.TestCase):
    def run_over(self, source):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"include/quantsearch/low.h": DOOR, "src/low/low.cc": source, "cli/main.cc": ""}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            done = subprocess.run([sys.executable, TOOL, root], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout.strip()

    def test_words_for_people_pass(self):
        self.assertEqual(self.run_over('f("no tensor is observed; see nodes_to_exclude");'),
                         (0, "no message names a function"))

    def test_a_function_of_a_door_is_found(self):
        self.assertEqual(self.run_over('\nf("one that observe_tensors names");'),
                         (1, "src/low/low.cc:2: names observe_tensors: one that observe_tensors names"))

    def test_a_call_is_found(self):
        self.assertEqual(self.run_over('f("call run() first");'),
                         (1, "src/low/low.cc:1: names run(): call run() first"))

    def test_a_field_that_no_user_writes_is_found(self):
        self.assertEqual(self.run_over('f("option exclude_nodes is empty");')[0], 1)

    def test_keys_and_comments_are_no_messages(self):
        self.assertEqual(self.run_over('f("observe_tensors");  // "that observe_tensors names"')[0], 0)


if __name__ == "__main__":
    unittest.main()
