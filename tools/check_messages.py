#!/usr/bin/env python3
"""Messages speak of what users see: no text in src/ and cli/ names a function of ours, or a field under which no user can
write anything. Prints each text that does, and fails when there is one."""

import pathlib
import re
import sys

LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
COMMENT = re.compile(r'//[^\n]*|static_assert\([^;]*;')
DECLARATION = re.compile(r'\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\(')
WORD = re.compile(r'\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b')
CALL = re.compile(r'\b[a-z][a-z0-9_]*\(\)')

# Fields of options structs whose keys have other names (internal/quantize/option_keys.h).
FIELDS = {"exclude_nodes", "exclude_op_types", "exclude_subgraphs", "extra_op_types", "include_layers", "exclude_layers",
          "input_tensors", "output_tensors", "keep_float"}
# Rooms that speak SQL, in which a call is a call.
FOREIGN = {"storage"}


def functions(root):
    """Names of two words or more that the doors declare as functions."""
    names = set()
    for door in (root / "include").rglob("*.h"):
        names.update(DECLARATION.findall(COMMENT.sub("", door.read_text())))
    return names


def messages(source):
    """Literals that hold a sentence rather than a key, with their lines."""
    text = COMMENT.sub("", source)
    for literal in LITERAL.finditer(text):
        if " " in literal.group(1):
            yield text.count("\n", 0, literal.start()) + 1, literal.group(1)


def faults(root):
    banned = functions(root) | FIELDS
    for folder in ("src", "cli"):
        for file in sorted((root / folder).rglob("*.cc")):
            if FOREIGN.intersection(file.parts):
                continue
            for line, text in messages(file.read_text()):
                named = sorted(set(WORD.findall(text)) & banned) + CALL.findall(text)
                if named:
                    yield f"{file.relative_to(root)}:{line}: names {', '.join(named)}: {text}"


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    found = list(faults(root))
    print("\n".join(found) if found else "no message names a function")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
