#!/usr/bin/env python3
"""Compares a whole search with what ONNX Runtime alone needs for its models (runtime_loop_bench), in turn on the same cores.

    bench/runtime_share.py COMMAND BENCH CONFIG MODEL CALIBRATION EVALUATION [--limit 100] [--evaluation-limit 200] [--threads 2] [--pairs 5]

COMMAND is the built command, BENCH the built runtime_loop_bench. Prints the medians of both times and of the ratio of each pair, and the same of
processor times, which other work on the machine moves less.
"""
import argparse
import resource
import statistics
import subprocess
import tempfile
import time


def processor_seconds():
    """Of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def middle(what, command, alone):
    ratios = [one / other for one, other in zip(command, alone)]
    return (f"{what}: command {statistics.median(command):.2f} s, ONNX Runtime alone {statistics.median(alone):.2f} s, "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("command", "bench", "config", "model", "calibration", "evaluation"):
        parser.add_argument(name)
    for name, value in (("limit", 100), ("evaluation-limit", 200), ("threads", 2), ("pairs", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    limit, judged, threads = str(given.limit), str(given.evaluation_limit), str(given.threads)
    pairs = []
    for _ in range(given.pairs):
        with tempfile.TemporaryDirectory() as folder:
            start, before = time.monotonic(), processor_seconds()
            done = subprocess.run([given.command, "search", given.model, "--calibration", given.calibration, "--limit", limit, "--evaluation",
                                   given.evaluation, "--evaluation-limit", judged, "--config", given.config, "--output", f"{folder}/out", "--log",
                                   f"{folder}/log", "--threads", threads, "--jobs", threads, "--quiet"], check=False)
            whole, used = time.monotonic() - start, processor_seconds() - before
        if done.returncode not in (0, 3):
            raise SystemExit(f"the search ended with {done.returncode}")
        out = subprocess.run([given.bench, given.config, given.model, given.calibration, limit, given.evaluation, judged, threads],
                             check=True, capture_output=True, text=True).stdout.split()
        pairs.append((whole, used, float(out[1]), float(out[2])))
    whole, used, loop, loop_used = zip(*pairs)
    print(f"{out[0]} distinct models")
    print(middle("elapsed time", whole, loop))
    print(middle("processor time", used, loop_used))


if __name__ == "__main__":
    main()
