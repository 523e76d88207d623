#!/usr/bin/env python3
"""Writes python/quantsearch/_core.pyi from the built extension module; with --check compares and fails on a difference.

nanobind gives containers of Python objects no element types; the names below say what they hold.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import sys

from nanobind.stubgen import StubGen

import quantsearch._core

STUB = pathlib.Path(__file__).parent / "quantsearch" / "_core.pyi"
RULES = (
    (r"\blist\b(?!\[)", "list[Any]"),
    (r"\bdict\b(?!\[)", "dict[str, Any]"),
    (r"\btuple\b(?!\[)", "tuple[Any, ...]"),
    (r"os\.PathLike\b(?!\[)", "os.PathLike[str]"),
    (r"-> object\b", "-> Any"),
    (r"def __eq__\(self, arg: \w+, /\)", "def __eq__(self, arg: object, /)"),
    (r"def evaluator\(self\) -> (\w+)", "def evaluator(self) -> Any"),
)


def stub_text() -> str:
    generator = StubGen(module=quantsearch._core)
    generator.put(quantsearch._core)
    text: str = generator.get()
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return "from typing import Any\n" + text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    text = stub_text()
    if not arguments.check:
        STUB.write_text(text)
        return 0
    if STUB.read_text() == text:
        return 0
    print(f"{STUB} differs from the extension module; run python/make_stubs.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
