#!/usr/bin/env python3
"""Measures how much the check before delivery adds to the time of `quantize`, for each real model that takes more than a second.

    bench/check_share.py COMMAND FOLDER [NAME...]

COMMAND is the built command. FOLDER contains a folder for each model with model.onnx and calibration.npz. Each model is quantized with and
without --no-check in turn, three times; wall times and processor times are medians. Prints Markdown on standard output.
"""
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 3
SHORT = 1.0  # seconds without the check; no share is promised for faster models
HEADER = ("| model | s without | s with | more | processor s without | with | more |\n" + "|---" * 7 + "|")


def seconds_of(command):
    """Returns wall and processor seconds; None when the model is refused."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (wall, used) if done.returncode == 0 else None


def row(command, folder, name, work):
    quantize = [command, "quantize", folder / name / "model.onnx", "--calibration", folder / name / "calibration.npz",
                "--output", work / "int8.onnx", "--overwrite", "--quiet"]
    without, checked = [], []
    for _ in range(REPEATS):
        times = seconds_of(quantize + ["--no-check"])
        if times is None or times[0] < SHORT:
            return None
        without.append(times)
        checked.append(seconds_of(quantize))
    cells = []
    for kind in (0, 1):
        base = statistics.median(times[kind] for times in without)
        whole = statistics.median(times[kind] for times in checked)
        cells += [f"{base:.2f}", f"{whole:.2f}", f"{100 * (whole / base - 1):.0f} %"]
    return f"| {name} | " + " | ".join(cells) + " |"


def main():
    command, folder = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
    names = sys.argv[3:] or sorted(path.name for path in folder.iterdir() if (path / "model.onnx").exists())
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory() as work:
        for name in names:
            text = row(command, folder, name, Path(work))
            if text:
                print(text, flush=True)


if __name__ == "__main__":
    main()
