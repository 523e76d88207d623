"""tools/check_layers.py finds what it is there for, in a small project made for each test."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_layers.py"
TABLE = """
room low:
room middle: low
room high: low middle
room cli: doors
library zlib.h: low
"""
FILES = {
    "tools/layers.txt": TABLE,
    "include/quantsearch/low.h": "#pragma once\n#include <vector>\n",
    "include/quantsearch/middle/part.h": '#include "quantsearch/low.h"\n',
    "include/quantsearch/high.h": '#include "quantsearch/version.h"\n',
    "include/quantsearch/version.h": "#pragma once\n",
    "src/low/low.cc": '#include "quantsearch/low.h"\n#include <zlib.h>\n#include "low/inner.h"\n',
    "src/low/inner.h": "#pragma once\n",
    "src/high/high.cc": '#include "quantsearch/middle/part.h"\n#include "quantsearch/low.h"\n',
    "src/low/CMakeLists.txt": "quantsearch_room(low\n  SOURCES low.cc)\n",
    "src/high/CMakeLists.txt": "quantsearch_room(high\n  SOURCES high.cc\n  SEES low middle\n  PRIVATE x)\n",
    "cli/main.cc": '#include "common.h"\n#include "quantsearch/high.h"\n',
    "cli/common.h": "#pragma once\n",
}


class CheckLayers(unittest.TestCase):
    def run_tool(self, changes, draw=True):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "docs").mkdir()
            for name, content in {**FILES, **changes}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content, encoding="utf-8")
            command = [sys.executable, str(TOOL), "--root", str(root)] + (["--draw"] if draw else [])
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            return done.returncode, done.stderr.strip()

    def test_a_project_that_keeps_the_table_passes(self):
        self.assertEqual(self.run_tool({}), (0, ""))

    def test_an_include_of_a_room_above_is_found(self):
        self.assertEqual(
            self.run_tool({"src/low/low.cc": '\n#include "quantsearch/high.h"\n'}),
            (1, "src/low/low.cc:2: room 'low' may not see 'high' (\"quantsearch/high.h\")"))

    def test_a_folder_of_a_room_sees_only_the_folders_that_it_names(self):
        files = {
            "tools/layers.txt": TABLE + "folder low/first:\nfolder low/second: first\n",
            "src/low/first/a.h": "#pragma once\n",
            "src/low/second/b.h": '#include "low/second/c.h"\n#include "low/first/a.h"\n',
            "src/low/second/c.h": "#pragma once\n",
            "src/low/low.cc": '#include "low/second/b.h"\n',
        }
        self.assertEqual(self.run_tool(files), (0, ""))
        up = {**files, "src/low/first/a.cc": '#include "quantsearch/low.h"\n#include "low/second/b.h"\n'}
        self.assertEqual(self.run_tool(up), (1, "src/low/first/a.cc:2: folder 'low/first' may not see \"low/second/b.h\""))
        top = {**files, "src/low/second/b.cc": '#include "low/inner.h"\n'}
        self.assertEqual(self.run_tool(top), (1, "src/low/second/b.cc:1: folder 'low/second' may not see \"low/inner.h\""))

    def test_two_types_of_one_name_are_found(self):
        header = "namespace a {\nstruct Same {\n};\n}  // namespace a\n"
        self.assertEqual(
            self.run_tool({"src/low/inner.h": header, "src/low/outer.h": header.replace("namespace a", "namespace b"), "src/high/own.h": header}),
            (1, "src/low/inner.h:2: 'a::Same' is a type of src/high/own.h too; give one of them another name"))

    def test_the_page_has_a_row_for_each_room_and_names_what_is_there(self):
        rows = "".join(f"| `{room}` | x |\n" for room in ("low", "middle", "high", "cli"))
        named = "`src/low/low.cc`: `made`, `src/low/none.cc`"
        self.assertEqual(
            self.run_tool({"src/low/low.cc": "void made();\n", "docs/architecture.md": rows + named}),
            (1, "docs/architecture.md:1: there is no file 'src/low/none.cc'"))
        self.assertEqual(
            self.run_tool({"docs/architecture.md": rows.replace("| `low` | x |\n", "") + "`src/low/low.cc`: `made`"}),
            (1, "docs/architecture.md:1: room 'low' is in tools/layers.txt alone\n"
                "docs/architecture.md:1: there is no function 'made' in src/low/low.cc"))

    def test_a_door_is_checked_too(self):
        self.assertEqual(
            self.run_tool({"include/quantsearch/low.h": '#include "quantsearch/middle/part.h"\n'}),
            (1, "include/quantsearch/low.h:1: room 'low' may not see 'middle' (\"quantsearch/middle/part.h\")"))

    def test_internal_doors_are_seen_by_rooms_but_not_by_installed_headers(self):
        include = '#include "quantsearch/internal/low/tool.h"\n'
        door = {"include/quantsearch/internal/low/tool.h": "#pragma once\n"}
        used = {"src/high/high.cc": include, "cli/main.cc": include, "include/quantsearch/internal/high/part.h": include}
        self.assertEqual(self.run_tool({**door, **used}), (0, ""))
        self.assertEqual(
            self.run_tool({**door, "include/quantsearch/middle/part.h": include}),
            (1, 'include/quantsearch/middle/part.h:1: "quantsearch/internal/low/tool.h" is not installed, but this header is'))

    def test_an_internal_door_of_a_room_above_is_found(self):
        self.assertEqual(
            self.run_tool({"src/low/low.cc": '#include "quantsearch/internal/high/part.h"\n'}),
            (1, "src/low/low.cc:1: room 'low' may not see 'high' (\"quantsearch/internal/high/part.h\")"))

    def test_a_private_file_of_a_room_that_may_be_seen_is_found(self):
        self.assertEqual(
            self.run_tool({"src/high/high.cc": '#include "low/inner.h"\n'}),
            (1, "src/high/high.cc:1: \"low/inner.h\" is private to room 'low'; include its door"))

    def test_a_door_that_shows_a_private_file_is_found(self):
        self.assertEqual(
            self.run_tool({"include/quantsearch/low.h": '#include "low/inner.h"\n'}),
            (1, 'include/quantsearch/low.h:1: a door may not show the private "low/inner.h"'))

    def test_a_library_outside_its_room_or_in_a_door_is_found(self):
        for file in ("src/high/high.cc", "include/quantsearch/low.h"):
            self.assertEqual(self.run_tool({file: "#include <zlib.h>\n"}),
                             (1, f"{file}:1: 'zlib.h' belongs in private files of low"))

    def test_a_target_that_links_more_or_less_than_the_table_is_found(self):
        self.assertEqual(
            self.run_tool({"src/low/CMakeLists.txt": "quantsearch_room(low SOURCES low.cc SEES high)\n"}),
            (1, "src/low/CMakeLists.txt:1: SEES differs from tools/layers.txt; not allowed: high"))
        self.assertEqual(
            self.run_tool({"src/high/CMakeLists.txt": "quantsearch_room(high SOURCES high.cc SEES low)\n"}),
            (1, "src/high/CMakeLists.txt:1: SEES differs from tools/layers.txt; missing: middle"))

    def test_a_room_that_the_table_does_not_know_is_found(self):
        self.assertEqual(self.run_tool({"src/new/new.cc": "\n"}),
                         (1, "src/new/new.cc:1: belongs to no room of tools/layers.txt"))

    def test_a_stale_drawing_is_found(self):
        self.assertEqual(
            self.run_tool({}, draw=False),
            (1, "docs/layers.svg:1: differs from tools/layers.txt; run tools/check_layers.py --draw"))

    def test_a_table_with_a_circle_is_refused(self):
        code, message = self.run_tool({"tools/layers.txt": "room low: high\nroom high: low\n"})
        self.assertEqual((code, message), (1, "layers.txt:1: room 'low' sees 'high', which is not above it"))


if __name__ == "__main__":
    unittest.main()
