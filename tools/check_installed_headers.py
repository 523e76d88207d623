#!/usr/bin/env python3
"""Checks the installed headers, each as the only include of a file.

    tools/check_installed_headers.py FOLDER [--compiler g++]

FOLDER is the include folder of an installed quantsearch. Each header must compile with FOLDER as the only include folder besides the
compiler's own, include nothing but headers of FOLDER and of the C++ standard library, and be no internal door. Exits with 1 after naming each
header that is not so.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
STANDARD = re.compile(r"[a-z0-9_]+")  # <vector>; C and system headers have a dot
SYSTEM = {"sys/types.h"}  # pid_t


def foreign_includes(header, folder):
    for quote, name in INCLUDE.findall(header.read_text(encoding="utf-8")):
        is_known = (folder / name).is_file() if quote == '"' else STANDARD.fullmatch(name) or name in SYSTEM
        if not is_known:
            yield name


def compile_alone(header, folder, compiler):
    """The first error of the compiler, or an empty text."""
    source = f'#include <{header.relative_to(folder)}>\n'
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", str(folder), "-x", "c++", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    return errors[0] if errors else done.stderr.strip()


def check(header, folder, compiler):
    name = header.relative_to(folder)
    problems = [f"{name}: includes '{other}'" for other in foreign_includes(header, folder)]
    if "internal" in name.parts:
        problems.append(f"{name}: is internal and must not be installed")
    error = compile_alone(header, folder, compiler)
    return problems + ([f"{name}: does not compile alone: {error}"] if error else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--compiler", default="c++")
    arguments = parser.parse_args()
    headers = sorted(arguments.folder.rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda header: check(header, arguments.folder, arguments.compiler), headers)
        problems = [problem for result in results for problem in result]
    if not headers:
        problems = [f"{arguments.folder}: there are no headers"]
    print("\n".join(problems) if problems else f"{len(headers)} headers compile alone")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
