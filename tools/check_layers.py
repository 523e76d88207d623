#!/usr/bin/env python3
"""Checks that every file includes only what its room may see, and draws the rooms.

    tools/check_layers.py [--root FOLDER] [--draw]

The table is tools/layers.txt. These are compared with it: the #include lines of include/, src/, cli/ and python/, the
SEES lists of src/*/CMakeLists.txt, and docs/layers.svg, which --draw writes anew. docs/architecture.md has a row for each room, and the files and
functions that it names exist. A header of the interface includes no internal door, because those are not installed. No two headers define a type of
one name. Exits with 1 after naming each difference as FILE:LINE: reason.
"""

import argparse
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TYPE = re.compile(r"^(?:template <.*> )?(?:struct|class|enum class) (\w+)[^;]*\{")
DOORS = "quantsearch/"
INTERNAL = "internal"  # include/quantsearch/internal/ROOM/*.h: doors between rooms, which are not installed
FREE_DOORS = {"quantsearch/version.h"}  # belongs to no room
SUFFIXES = {".h", ".cc"}


class Table:
    """Rooms in the order they are written, what each may see, and which rooms own a library's headers. `folders` has what a folder
    inside a room may see of the room's private headers."""

    def __init__(self, text):
        self.sees = {}
        self.programs = []  # rooms that see every door but each other's
        self.folders = {}
        self.libraries = {}
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#", 1)[0].strip()
            if not line:
                continue
            match = re.fullmatch(r"(room|folder|library)\s+([^:]+):(.*)", line)
            if match is None:
                raise SystemExit(f"layers.txt:{number}: expected 'room NAME: ROOMS', 'folder ROOM/NAME: FOLDERS' or 'library PREFIX: ROOMS', got '{line}'")
            kind, names, rooms = match.group(1), match.group(2).split(), match.group(3).split()
            if kind == "room":
                if rooms == ["doors"]:
                    rooms = [room for room in self.sees if room not in self.programs]
                    self.programs.append(names[0])
                unknown = [room for room in rooms if room not in self.sees]
                if unknown:
                    raise SystemExit(f"layers.txt:{number}: room '{names[0]}' sees '{unknown[0]}', which is not above it")
                self.sees[names[0]] = rooms
            elif kind == "folder":
                self.folders[names[0]] = rooms
            else:
                for prefix in names:
                    self.libraries[prefix] = rooms


def room_of_file(path, table):
    """The room a file of the project belongs to, by its place; None when it belongs to none."""
    parts = path.parts
    if parts[0] in ("cli", "python"):
        return parts[0]
    if parts[0] == "src":
        return parts[1]
    door = room_of_door(parts[2:])
    return door if door in table.sees else None


def room_of_door(parts):
    """The room of ROOM.h, ROOM/*.h or internal/ROOM/*.h, given as a path below include/quantsearch."""
    return pathlib.PurePath(parts[1] if parts[0] == INTERNAL and len(parts) > 2 else parts[0]).stem


def room_of_include(header, includer, table):
    """(room, is_door) of a quoted include; (None, False) when it is no file of a room."""
    if header.startswith(DOORS):
        return room_of_door(header.split("/")[1:]), True
    if "/" not in header:
        return includer, False  # beside the including file: cli/ does so
    return header.split("/")[0], False


def check_folder(path, header, table):
    """The reason why a file in a folder of a room may not include a private header of that room, or None."""
    folder = "/".join(path.parts[1:3])
    if folder not in table.folders:
        return None
    room = path.parts[1]
    allowed = {folder} | {f"{room}/{name}" for name in table.folders[folder]}
    if "/".join(header.split("/")[:2]) in allowed:
        return None
    return f"folder '{folder}' may not see \"{header}\""


def check_include(path, room, quote, header, table):
    """The reason why the include is forbidden, or None."""
    owners = next((rooms for prefix, rooms in table.libraries.items() if header.startswith(prefix)), None)
    if owners is not None:
        allowed = room in owners and path.parts[0] != "include"
        return None if allowed else f"'{header}' belongs in private files of {' and '.join(owners)}"
    if quote == "<":
        return None
    if header in FREE_DOORS:
        return None
    target, is_door = room_of_include(header, room, table)
    if target not in table.sees:
        return f'"{header}" is in no room of tools/layers.txt'
    is_installed = path.parts[0] == "include" and path.parts[2] != INTERNAL
    if is_installed and header.startswith(f"{DOORS}{INTERNAL}/"):
        return f'"{header}" is not installed, but this header is'
    if path.parts[0] == "include" and not is_door:
        return f'a door may not show the private "{header}"'
    if target == room:
        return None if is_door else check_folder(path, header, table)
    if target not in table.sees[room]:
        return f"room '{room}' may not see '{target}' (\"{header}\")"
    if not is_door:
        return f"\"{header}\" is private to room '{target}'; include its door"
    return None


def check_files(root, table):
    for top in ("include", "src", "cli", "python"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in SUFFIXES:
                continue
            path = file.relative_to(root)
            room = room_of_file(path, table)
            if room is None and path.as_posix() in {"include/" + door for door in FREE_DOORS}:
                continue
            if room not in table.sees:
                yield f"{path}:1: belongs to no room of tools/layers.txt"
                continue
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                reason = match and check_include(path, room, match.group(1), match.group(2), table)
                if reason:
                    yield f"{path}:{number}: {reason}"


def check_names(root):
    """Types of one name in two headers: the linker joins their functions, whichever it meets first."""
    defined = {}
    for top in ("include", "src"):
        for file in sorted((root / top).rglob("*.h")):
            scope = []
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if line.startswith("namespace ") and line.endswith("{"):
                    scope.append(line.split()[1])
                elif line.startswith("}  // namespace") and scope:
                    scope.pop()
                match = TYPE.match(line)
                if match is None:
                    continue
                name = "::".join(scope + [match.group(1)])
                path = file.relative_to(root)
                if defined.setdefault(name, path) != path:
                    yield f"{path}:{number}: '{name}' is a type of {defined[name]} too; give one of them another name"


def check_targets(root, table):
    for file in sorted((root / "src").glob("*/CMakeLists.txt")):
        room = file.parent.name
        match = re.search(r"\bSEES\s+([a-z_\s]*)", file.read_text(encoding="utf-8"))
        linked = set(match.group(1).split()) if match else set()
        allowed = set(table.sees.get(room, []))
        if linked != allowed:
            more, less = sorted(linked - allowed), sorted(allowed - linked)
            yield (f"{file.relative_to(root)}:1: SEES differs from tools/layers.txt"
                   + (f"; not allowed: {' '.join(more)}" if more else "") + (f"; missing: {' '.join(less)}" if less else ""))


def check_page(root, table):
    """The table of rooms of docs/architecture.md, and `FILE`: `function` in its text."""
    page = root / "docs/architecture.md"
    name = page.relative_to(root)
    if not page.exists():
        return
    text = page.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    for room in sorted(set(table.sees) ^ set(rows)):
        yield f"{name}:1: room '{room}' is in " + ("tools/layers.txt" if room in table.sees else "the table of rooms") + " alone"
    for path, function in re.findall(r"`((?:src|cli|include)/[\w/.]+)`(?::\s+`(\w+)`)?", text):
        if "ROOM" in path:
            continue
        if not (root / path).exists():
            yield f"{name}:1: there is no file '{path}'"
        elif function and not re.search(rf"\b{function}\(", (root / path).read_text(encoding="utf-8")):
            yield f"{name}:1: there is no function '{function}' in {path}"


def levels(table):
    """Rooms by the length of the longest way down, lowest first."""
    level = {}
    for room, below in table.sees.items():
        level[room] = 1 + max((level[other] for other in below), default=-1)
    rows = [[] for _ in range(1 + max(level.values(), default=-1))]
    for room in table.sees:
        rows[level[room]].append(room)
    return rows


def direct(room, table):
    """What the room sees and nothing else it sees already sees: the lines worth drawing."""
    seen = table.sees[room]
    return [other for other in seen if not any(other in table.sees[between] for between in seen)]


def drawing(table):
    width, height, gap_x, gap_y, margin = 110, 34, 24, 44, 16
    rows = levels(table)
    total = margin * 2 + max(len(row) for row in rows) * (width + gap_x) - gap_x
    place = {}
    for depth, row in enumerate(rows):
        left = (total - len(row) * (width + gap_x) + gap_x) / 2
        for index, room in enumerate(row):
            place[room] = (left + index * (width + gap_x), margin + (len(rows) - 1 - depth) * (height + gap_y))
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" '
             f'height="{2 * margin + len(rows) * (height + gap_y) - gap_y}" font-family="sans-serif" font-size="14">',
             "<title>Rooms of quantsearch: a line goes down to what a room sees (lines implied by others left out)</title>"]
    for room in table.sees:
        for other in direct(room, table):
            (x1, y1), (x2, y2) = place[room], place[other]
            lines.append(f'<line x1="{x1 + width / 2:g}" y1="{y1 + height:g}" x2="{x2 + width / 2:g}" y2="{y2:g}" stroke="#888"/>')
    for room, (x, y) in place.items():
        lines.append(f'<rect x="{x:g}" y="{y:g}" width="{width}" height="{height}" rx="6" fill="#eef3f8" stroke="#456"/>')
        lines.append(f'<text x="{x + width / 2:g}" y="{y + height / 2 + 5:g}" text-anchor="middle">{room}</text>')
    return "\n".join(lines + ["</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--draw", action="store_true", help="write docs/layers.svg")
    arguments = parser.parse_args()
    root = arguments.root
    table = Table((root / "tools/layers.txt").read_text(encoding="utf-8"))
    picture = root / "docs/layers.svg"
    if arguments.draw:
        picture.write_text(drawing(table), encoding="utf-8")
    problems = list(check_files(root, table)) + list(check_names(root)) + list(check_targets(root, table)) + list(check_page(root, table))
    if not picture.exists() or picture.read_text(encoding="utf-8") != drawing(table):
        problems.append("docs/layers.svg:1: differs from tools/layers.txt; run tools/check_layers.py --draw")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
