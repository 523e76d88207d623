"""Searches examples/whole_space.yaml on models and checks the result: best.onnx is scored again by `evaluate`.

    python3 bench/search_models.py QUANTSEARCH OUTPUT [--iteration-limit N] MODEL.onnx,CALIBRATION,EVALUATION...

The first 100 samples of CALIBRATION are used for calibration and the first 200 of EVALUATION for evaluation (all if there are fewer).
Prints a Markdown row for each model; exits with 1 when scores differ by more than 1e-9 of their value.
"""
import argparse
import json
import pathlib
import subprocess
import sys

SPACE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "whole_space.yaml"


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: no trial is within the tolerance, but best.onnx exists
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def differences(results, evaluated):
    for name, value in results["trials"][results["best"]]["scores"].items():
        again = evaluated["quantized"]["scores"][name]
        if abs(again - value) > 1e-9 * max(1.0, abs(value)):
            yield f"{name}: search {value}, evaluate {again}"


def search(arguments, job):
    model, calibration, evaluation = job.split(",")
    arguments.output.mkdir(parents=True, exist_ok=True)
    output = arguments.output / pathlib.Path(model).stem
    limits = [] if arguments.iteration_limit is None else ["--iteration-limit", arguments.iteration_limit]
    run([arguments.quantsearch, "search", model, "--calibration", calibration, "--limit", 100, "--evaluation", evaluation,
         "--evaluation-limit", 200, "--config", SPACE, "--output", output, "--overwrite", "--log", arguments.output / f"{output.name}.log",
         "--quiet", *limits])
    results = json.loads((output / "results.json").read_text())
    evaluated = json.loads(run([arguments.quantsearch, "evaluate", model, output / "best.onnx", "--data", evaluation,
                                "--limit", 200, "--json"]))
    return results, list(differences(results, evaluated))


def row_of(job, results, different):
    best = results["trials"][results["best"]]
    space = results["space"]
    return (f"| {pathlib.Path(job.split(',')[0]).stem} | {space['raw']}, {space['distinct']} distinct | {len(results['trials'])} | "
            f"{len(results['candidates'])} | {results['seconds']:.1f} | {results['peak_rss_bytes'] / 1e6:.0f} | "
            f"{best['scores']['L2']:.4g} | {'; '.join(different) or 'yes'} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("quantsearch")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("job", nargs="+")
    parser.add_argument("--iteration-limit", type=int)
    arguments = parser.parse_args()
    print("| model | points | trials | candidates | seconds | peak MB | best L2 | evaluate agrees |\n|---|---|---|---|---|---|---|---|")
    wrong = False
    for job in arguments.job:
        results, different = search(arguments, job)
        wrong = wrong or bool(different)
        print(row_of(job, results, different), flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
