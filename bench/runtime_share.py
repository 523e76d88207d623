#!/usr/bin/env python3
"""Compares a whole search with what ONNX Runtime alone needs for its models (runtime_loop_bench), in turn on the same cores.

    bench/runtime_share.py COMMAND BENCH CONFIG MODEL CALIBRATION EVALUATION [--limit 100] [--evaluation-limit 200] [--threads 2] [--pairs 5]

COMMAND is the built command, BENCH the built runtime_loop_bench. Prints the medians of both times and of the ratio of each pair.
"""
import argparse
import statistics
import subprocess
import tempfile
import time


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
            start = time.monotonic()
            done = subprocess.run([given.command, "search", given.model, "--calibration", given.calibration, "--limit", limit, "--evaluation",
                                   given.evaluation, "--evaluation-limit", judged, "--config", given.config, "--output", f"{folder}/out", "--log",
                                   f"{folder}/log", "--threads", threads, "--jobs", threads, "--quiet"], check=False)
            whole = time.monotonic() - start
        if done.returncode not in (0, 3):
            raise SystemExit(f"the search ended with {done.returncode}")
        out = subprocess.run([given.bench, given.config, given.model, given.calibration, limit, given.evaluation, judged, threads],
                             check=True, capture_output=True, text=True).stdout.split()
        pairs.append((whole, float(out[1]), int(out[0])))
    print(f"{pairs[0][2]} distinct models; command {statistics.median(pair[0] for pair in pairs):.2f} s, ONNX Runtime alone "
          f"{statistics.median(pair[1] for pair in pairs):.2f} s, ratio {statistics.median(pair[0] / pair[1] for pair in pairs):.2f} "
          f"({min(pair[0] / pair[1] for pair in pairs):.2f} to {max(pair[0] / pair[1] for pair in pairs):.2f})")


if __name__ == "__main__":
    main()
