#!/usr/bin/env python3
"""Checks that documents quote files as they are.

    tools/check_quotes.py [--root FOLDER] [--write]

A quote is a fenced block after a line `<!-- file: PATH -->`, in README.md or docs/. --write replaces the quotes by the files. Exits with 1 after
naming each difference as DOCUMENT:LINE: reason.
"""

import argparse
import pathlib
import re
import sys

QUOTE = re.compile(r"^<!-- file: (\S+) -->\n+(```\w*\n)(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"^<!-- file: ", re.MULTILINE)


def current(root, quote):
    """The quote as it should be; None when there is no such file."""
    file = root / quote.group(1)
    if not file.is_file():
        return None
    return quote.group(0).replace(quote.group(2) + quote.group(3), quote.group(2) + file.read_text(encoding="utf-8"))


def problems_of(text, root):
    quotes = list(QUOTE.finditer(text))
    if len(quotes) != len(MARK.findall(text)):
        yield 1, "a line '<!-- file: PATH -->' is not followed by a fenced block"
    for quote in quotes:
        line = text.count("\n", 0, quote.start()) + 1
        wanted = current(root, quote)
        if wanted is None:
            yield line, f"there is no file '{quote.group(1)}'"
        elif wanted != quote.group(0):
            yield line, f"differs from {quote.group(1)}; run tools/check_quotes.py --write"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--write", action="store_true", help="replace the quotes by the files")
    arguments = parser.parse_args()
    root = arguments.root
    found = []
    for document in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        if not document.is_file():
            continue
        text = document.read_text(encoding="utf-8")
        if arguments.write:
            text = QUOTE.sub(lambda quote: current(root, quote) or quote.group(0), text)
            document.write_text(text, encoding="utf-8")
        found += [f"{document.relative_to(root)}:{line}: {reason}" for line, reason in problems_of(text, root)]
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
