"""tools/check_installed_headers.py finds headers that programs cannot include alone."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_installed_headers.py"


class CheckInstalledHeaders(unittest.TestCase):
    def run_tool(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                file = pathlib.Path(folder) / "quantsearch" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("#pragma once\n" + content, encoding="utf-8")
            done = subprocess.run([sys.executable, str(TOOL), folder], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout.strip()

    def test_headers_that_include_what_they_use_pass(self):
        self.assertEqual(
            self.run_tool({"a.h": "#include <cstddef>\nstd::size_t a();\n", "b.h": '#include "quantsearch/a.h"\n'}),
            (0, "2 headers compile alone"))

    def test_a_header_that_needs_another_one_first_is_found(self):
        code, text = self.run_tool({"a.h": "struct A {};\n", "b.h": "A b();\n"})
        self.assertEqual(code, 1)
        self.assertRegex(text, r"^quantsearch/b\.h: does not compile alone: .*error")

    def test_headers_that_are_not_installed_are_found(self):
        code, text = self.run_tool({"a.h": '#include "quantsearch/absent.h"\n#include <stddef.h>\n'})
        self.assertEqual(code, 1)
        self.assertIn("quantsearch/a.h: includes 'quantsearch/absent.h'\nquantsearch/a.h: includes 'stddef.h'", text)

    def test_internal_doors_are_found(self):
        self.assertEqual(
            self.run_tool({"internal/a.h": ""}), (1, "quantsearch/internal/a.h: is internal and must not be installed"))

    def test_an_empty_folder_is_found(self):
        code, text = self.run_tool({})
        self.assertEqual(code, 1)
        self.assertIn("there are no headers", text)


if __name__ == "__main__":
    unittest.main()
