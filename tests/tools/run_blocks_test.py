"""tools/run_blocks.py runs the blocks of a page in their order and fails where one does."""

import importlib.util
import pathlib
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "run_blocks.py"
specification = importlib.util.spec_from_file_location("run_blocks", TOOL)
run_blocks = importlib.util.module_from_spec(specification)
sys.modules["run_blocks"] = run_blocks
specification.loader.exec_module(run_blocks)


class RunBlocks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_page(self, text, interpreter=sys.executable):
        page = self.folder / "page.md"
        page.write_text(text, encoding="utf-8")
        return run_blocks.Page(page, pathlib.Path("/bin/true"), interpreter).run(self.folder)

    def test_a_block_uses_what_earlier_ones_wrote(self):
        self.assertEqual(
            self.run_page('```yaml title="a.yaml"\nx: 1\n```\n\n```sh\ngrep -q "x: 1" a.yaml && echo 2 > b\n```\n\n```python\nassert open("b").read() == "2\\n"\n```\n'),
            (3, 0, ""))

    def test_python_blocks_share_their_names(self):
        self.assertEqual(self.run_page("```python\nx = 1\n```\n\n```python\nassert x == 1\n```\n"), (2, 0, ""))

    def test_a_failing_command_is_reported_with_its_line(self):
        ran, _, failure = self.run_page("# Page\n\n```sh\nfalse\necho never\n```\n")
        self.assertEqual(ran, 1)
        self.assertTrue(failure.startswith("line 3 ended with 1 instead of 0:\nfalse\n"), failure)

    def test_the_expected_exit_code_passes_and_another_fails(self):
        self.assertEqual(self.run_page("```sh exit=3\nexit 3\n```\n"), (1, 0, ""))
        self.assertIn("ended with 0 instead of 3", self.run_page("```sh exit=3\ntrue\n```\n")[2])

    def test_a_failing_python_block_is_reported(self):
        self.assertIn("ZeroDivisionError", self.run_page("```python\n1 / 0\n```\n")[2])

    def test_output_and_marked_blocks_are_only_counted(self):
        self.assertEqual(
            self.run_page("```text\nout\n```\n\n<!-- not run: needs root -->\n```sh\nexit 1\n```\n\n<!-- file: a.cc -->\n```cpp\nint a;\n```\n"), (0, 3, ""))

    def test_python_is_counted_where_there_is_no_interpreter(self):
        self.assertEqual(self.run_page("```python\n1 / 0\n```\n", interpreter=None), (0, 1, ""))

    def test_attributes_without_meaning_are_errors(self):
        with self.assertRaisesRegex(ValueError, "line 1: 'exits=3' means nothing after ```sh"):
            run_blocks.blocks_of("```sh exits=3\n```\n")
        with self.assertRaisesRegex(ValueError, 'line 1: a yaml block wants title="FILE"'):
            run_blocks.blocks_of("```yaml\nx: 1\n```\n")


if __name__ == "__main__":
    unittest.main()
