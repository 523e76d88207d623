"""tools/check_quotes.py compares the quotes of documents with the files."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_quotes.py"
QUOTE = "# Page\n\n<!-- file: a.cc -->\n```cpp\n{}```\n\nText.\n"


class CheckQuotes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "docs").mkdir()
        (self.root / "a.cc").write_text("int a;\n", encoding="utf-8")
        self.page = self.root / "docs" / "page.md"

    def run_tool(self, text, *options):
        self.page.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, str(TOOL), "--root", str(self.root), *options], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.strip()

    def test_a_quote_that_agrees_passes(self):
        self.assertEqual(self.run_tool(QUOTE.format("int a;\n")), (0, ""))

    def test_a_difference_is_found_and_written(self):
        self.assertEqual(
            self.run_tool(QUOTE.format("int b;\n")), (1, "docs/page.md:3: differs from a.cc; run tools/check_quotes.py --write"))
        self.assertEqual(self.run_tool(QUOTE.format("int b;\n"), "--write"), (0, ""))
        self.assertEqual(self.page.read_text(encoding="utf-8"), QUOTE.format("int a;\n"))

    def test_a_missing_file_and_a_mark_without_a_block_are_found(self):
        self.assertEqual(self.run_tool(QUOTE.format("x\n").replace("a.cc", "b.cc")), (1, "docs/page.md:3: there is no file 'b.cc'"))
        self.assertEqual(
            self.run_tool("<!-- file: a.cc -->\n"), (1, "docs/page.md:1: a line '<!-- file: PATH -->' is not followed by a fenced block"))


if __name__ == "__main__":
    unittest.main()
