"""Measures how soon each search algorithm is within 1 % of the best of a joint space.

    python3 bench/joint_space.py QUANTSEARCH OUTPUT MODEL.onnx CALIBRATION EVALUATION [--config FILE] [--seeds 5] [--share 1] [--algorithms auto GPS]

The whole grid is searched to find the best. Then every algorithm searches the same space with each seed and at most
SHARE of the trials. Prints a Markdown row for each algorithm: medians over the seeds of the trials and of their seconds until the best so
far is within 1 % of the best of the grid, and of these seconds as a share of the time of the whole grid; `-` when fewer than half of the
seeds reached it.
"""
import argparse
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys

SPACE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "full_space.yaml"
MODEL_BASED = ["random_search", "QMC", "NSGAII", "CmaEs", "TPE", "GPS", "auto"]


def search(arguments, algorithm, seed, limit):
    config = re.sub(r"(?m)^(search_algo|seed|search_stop_condition):.*\n", "", arguments.config.read_text())
    config += f"search_algo: {algorithm}\nseed: {seed}\nsearch_stop_condition: {{iteration_limit: {limit}, time_limit: 100000}}\n"
    output = arguments.output / f"{algorithm}_{seed}"
    output.parent.mkdir(parents=True, exist_ok=True)
    file = output.with_suffix(".yaml")
    file.write_text(config)
    command = [arguments.quantsearch, "search", arguments.model, "--calibration", arguments.calibration, "--limit", 100, "--evaluation",
               arguments.evaluation, "--evaluation-limit", 200, "--config", file, "--output", output, "--overwrite", "--quiet",
               "--log", output.with_suffix(".log")]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: no trial is within the tolerance, but the results exist
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads((output / "results.json").read_text())


def score(trial, results):
    """Returns the objective as a loss; infinite for trials without one."""
    value = trial["scores"].get(results["objective"]) if trial["state"] == "complete" else None
    if value is None:
        return math.inf
    return value if results["direction"] == "minimize" else -value


def reached(results, best):
    """Returns the trials and seconds until a trial is within 1 % of `best`; None if none is."""
    seconds = 0.0
    for count, trial in enumerate(results["trials"], start=1):
        seconds += trial["seconds"]
        if score(trial, results) <= best + 0.01 * abs(best):
            return count, seconds
    return None


def row(name, runs, best, whole):
    arrivals = [reached(results, best) or (math.inf, math.inf) for results in runs]
    trials = statistics.median(count for count, _ in arrivals)
    seconds = statistics.median(time for _, time in arrivals)
    lowest = statistics.median(min(score(trial, results) for trial in results["trials"]) for results in runs)
    came = sum(math.isfinite(count) for count, _ in arrivals)
    if not math.isfinite(trials):
        return f"| {name} | - | - | - | {came} of {len(runs)} | {abs(lowest):.4g} |"
    return f"| {name} | {trials:g} | {seconds:.2f} | {seconds / whole:.2f} | {came} of {len(runs)} | {abs(lowest):.4g} |"


def main():
    parser = argparse.ArgumentParser()
    for name in ("quantsearch", "output", "model", "calibration", "evaluation"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--config", type=pathlib.Path, default=SPACE)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--algorithms", nargs="+", default=MODEL_BASED)
    arguments = parser.parse_args()
    grid = search(arguments, "grid_search", 0, 1_000_000)
    best = min(score(trial, grid) for trial in grid["trials"])
    whole = sum(trial["seconds"] for trial in grid["trials"])
    failed = sum(trial["state"] == "failed" for trial in grid["trials"])
    print(f"{len(grid['trials'])} points, {failed} of them without a model; the whole grid takes {whole:.1f} s, its best {grid['objective']} is {abs(best):.4g}\n")
    print("| algorithm | trials | seconds | share of the grid | came there | best |\n|---|---|---|---|---|---|")
    print(row("grid_search", [grid], best, whole), flush=True)
    limit = max(1, round(arguments.share * len(grid["trials"])))
    for algorithm in arguments.algorithms:
        print(row(algorithm, [search(arguments, algorithm, seed, limit) for seed in range(arguments.seeds)], best, whole), flush=True)


if __name__ == "__main__":
    main()
