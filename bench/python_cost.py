#!/usr/bin/env python3
"""Pairs a search from Python over arrays in memory with the command over the same samples in a file.

    python bench/python_cost.py build/quantsearch MODEL CALIBRATION.npz EVALUATION.npz [--pairs 5] [--limit 100] [--evaluation-limit 200]

Both run bench/grid24.yaml in a process of their own, in turn. The table has seconds of wall clock and of the processor: of the whole
command, and of the call of auto_search() in Python, whose interpreter and arrays are there before. The last line is the median over the
pairs of Python's time against the command's, without 1.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

GRID = pathlib.Path(__file__).with_name("grid24.yaml")


def processor_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def search_in_python(model, calibration, evaluation, limit, evaluation_limit):
    """Prints the seconds of one search: what the process of a pair does."""
    import numpy
    import quantsearch

    of_calibration = {"input": numpy.load(calibration)["input"][:limit].copy()}
    of_evaluation = {"input": numpy.load(evaluation)["input"][:evaluation_limit].copy()}
    begin, processor = time.perf_counter(), processor_seconds(resource.RUSAGE_SELF)
    result = quantsearch.auto_search(model, of_calibration, evaluation=of_evaluation, config=GRID, output="out", progress=False)
    seconds = time.perf_counter() - begin
    used = processor_seconds(resource.RUSAGE_SELF) - processor
    print(json.dumps({"seconds": seconds, "processor": used, "trials": len(result.study.trials)}))


def run_python(arguments, folder):
    command = [sys.executable, __file__, "--one", *map(str, vars_of(arguments))]
    return json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def run_command(arguments, folder):
    command = [
        arguments.command, "search", arguments.model, "--calibration", arguments.calibration, "--limit", str(arguments.limit),
        "--evaluation", arguments.evaluation, "--evaluation-limit", str(arguments.evaluation_limit),
        "--config", str(GRID), "--output", "out", "--quiet",
    ]  # fmt: skip
    begin, processor = time.perf_counter(), processor_seconds(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    seconds = time.perf_counter() - begin
    used = processor_seconds(resource.RUSAGE_CHILDREN) - processor
    trials = json.loads((pathlib.Path(folder) / "out" / "results.json").read_text())["trials"]
    return {"seconds": seconds, "processor": used, "trials": len(trials)}


def vars_of(arguments):
    return [arguments.model, arguments.calibration, arguments.evaluation, arguments.limit, arguments.evaluation_limit]


def main():
    if sys.argv[1:2] == ["--one"]:
        search_in_python(*sys.argv[2:5], *map(int, sys.argv[5:]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("command", "model", "calibration", "evaluation"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--evaluation-limit", type=int, default=200)
    arguments = parser.parse_args()
    print("| pair | command, s | Python, s | command, processor s | Python, processor s |\n|---|---|---|---|---|")
    ratios = {"seconds": [], "processor": []}
    for pair in range(arguments.pairs):
        runs = [run_command, run_python] if pair % 2 == 0 else [run_python, run_command]
        found = {}
        for run in runs:
            with tempfile.TemporaryDirectory() as folder:
                found[run] = run(arguments, folder)
        command, python = found[run_command], found[run_python]
        assert command["trials"] == python["trials"], "the two searches have other trials"
        for what in ratios:
            ratios[what].append(python[what] / command[what])
        print(f"| {pair} | {command['seconds']:.2f} | {python['seconds']:.2f} | {command['processor']:.2f} | {python['processor']:.2f} |", flush=True)
    shares = {what: statistics.median(of) - 1 for what, of in ratios.items()}
    print(f"Python costs {shares['seconds']:+.1%} of wall clock, {shares['processor']:+.1%} of processor time")


if __name__ == "__main__":
    main()
