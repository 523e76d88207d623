#!/usr/bin/env python3
"""Runs the code blocks of the documentation.

    tools/run_blocks.py --command build/quantsearch [--python INTERPRETER] [--slow] [PAGE...]

The blocks of a page run in their order, in one new folder with model.onnx (a Fashion-MNIST network), data.npz (100 calibration images),
held_out.npz (2,000 labelled images) and images.npy (the calibration images alone), so that each block can use what the ones before it wrote:

    ```sh                         run by bash; a command that fails fails the page
    ```sh exit=3                  run by bash, and must end with this code
    ```yaml title="search.yaml"   written to the file of this name; so is ```python title="..."
    ```python                     run by INTERPRETER, where quantsearch is installed; all of a page in one process

A page with a line `<!-- slow: REASON -->` is run with --slow only. A block after a line `<!-- not run: REASON -->` or
`<!-- file: PATH -->` (a quote, which check_quotes.py compares and other tests run) is only
counted, and so are blocks of other languages, which show output. PAGEs are relative to the repository; without one all pages of README.md and docs/.
Prints a line for each page, and exits with 1 after the output of the first block of a page that failed.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(
    r"^(?:<!-- (?P<mark>not run|file): (?P<reason>[^\n]*?) -->\n+)?(?P<indent> *)```(?P<language>\w+)(?P<rest>[^\n]*)\n(?P<text>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL)
RUN = ("sh", "yaml", "python")
SLOW = re.compile(r"^<!-- slow: ([^\n]*) -->$", re.MULTILINE)


@dataclasses.dataclass
class Block:
    language: str
    text: str
    line: int  # of the fence, from 1
    title: str = ""  # the file that it is written to
    exit_code: int = 0
    skipped: str = ""  # why it is not run


def blocks_of(page_text):
    """The blocks of a page in their order. Throws ValueError for attributes that mean nothing."""
    found = []
    for match in FENCE.finditer(page_text):
        block = Block(match["language"], textwrap.dedent(match["text"]), page_text.count("\n", 0, match.start("language")) + 1)
        if match["mark"]:
            block.skipped = match["reason"] if match["mark"] == "not run" else "quotes " + match["reason"]
        for word in match["rest"].split():
            name, _, value = word.partition("=")
            if name == "title":
                block.title = value.strip('"')
            elif name == "exit" and block.language == "sh":
                block.exit_code = int(value)
            else:
                raise ValueError(f"line {block.line}: '{word}' means nothing after ```{block.language}")
        if block.language == "yaml" and not block.title and not block.skipped:
            raise ValueError(f'line {block.line}: a yaml block wants title="FILE" or a reason why it is not run')
        found.append(block)
    return found


def prepare(folder):
    """Puts the files that every page may use into the folder."""
    example = ROOT / "examples" / "fashion_mnist"
    shutil.copy(ROOT / "tests" / "data" / "mobilenet_hard.onnx", folder / "model.onnx")
    shutil.copy(example / "calibration_100.npz", folder / "data.npz")
    shutil.copy(example / "evaluation_2000.npz", folder / "held_out.npz")
    with zipfile.ZipFile(folder / "data.npz") as archive:
        (folder / "images.npy").write_bytes(archive.read("input.npy"))


class Page:
    def __init__(self, path, command, interpreter):
        self.path = path
        self.interpreter = interpreter
        self.environment = dict(os.environ, PATH=f"{command.parent}{os.pathsep}{os.environ['PATH']}", NO_COLOR="1")

    def run(self, folder):
        """Runs the page; returns (number of blocks run, number skipped, report of the failure or an empty text)."""
        blocks = blocks_of(self.path.read_text(encoding="utf-8"))
        ran = skipped = 0
        python = []
        for block in blocks:
            if block.skipped or block.language not in RUN or (block.language == "python" and not block.title and not self.interpreter):
                skipped += 1
                continue
            ran += 1
            if block.title:
                (folder / block.title).write_text(block.text, encoding="utf-8")
            elif block.language == "python":
                python.append(f"exec(compile({block.text!r}, 'line {block.line}', 'exec'), names)")
            else:
                failure = self.run_shell(block, folder)
                if failure:
                    return ran, skipped, failure
        return ran, skipped, self.run_python(python, folder) if python else ""

    def run_shell(self, block, folder):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.text], cwd=folder, env=self.environment, capture_output=True, text=True,
                              check=False)
        if done.returncode == block.exit_code:
            return ""
        return f"line {block.line} ended with {done.returncode} instead of {block.exit_code}:\n{block.text}{done.stdout[-2000:]}{done.stderr[-4000:]}"

    def run_python(self, statements, folder):
        script = folder / "blocks_of_page.py"
        script.write_text("\n".join(["names = {'__name__': 'page'}", *statements]), encoding="utf-8")
        done = subprocess.run([self.interpreter, script], cwd=folder, env=self.environment, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else f"python blocks ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--command", type=pathlib.Path, required=True, help="the command quantsearch")
    parser.add_argument("--python", help="an interpreter that has the package; without it python blocks are not run")
    parser.add_argument("--slow", action="store_true", help="run pages that fetch models or take minutes, too")
    parser.add_argument("pages", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    command = arguments.command.resolve()
    if not command.is_file():
        parser.error(f"there is no command {command}")
    pages = [ROOT / page for page in arguments.pages] or [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    failures = total = 0
    for path in pages:
        slow = SLOW.search(path.read_text(encoding="utf-8"))
        if slow and not arguments.slow:
            print(f"{path.relative_to(ROOT)}: not run without --slow ({slow.group(1)})", flush=True)
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            prepare(folder)
            try:
                ran, skipped, failure = Page(path, command, arguments.python).run(folder)
            except ValueError as error:
                ran, skipped, failure = 0, 0, str(error)
        if ran or skipped or failure:
            print(f"{path.relative_to(ROOT)}: {ran} blocks run, {skipped} not", flush=True)
        if failure:
            failures += 1
            print(f"{path.relative_to(ROOT)}: {failure}", file=sys.stderr, flush=True)
        total += ran
    print(f"{total} blocks run, {failures} pages failed")
    sys.exit(failures != 0 or total == 0)


if __name__ == "__main__":
    main()
