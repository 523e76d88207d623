#!/usr/bin/env python3
"""Runs one search from Python on several packages of ONNX Runtime and prints a table.

    python bench/python_runtimes.py WHEEL MODEL CALIBRATION.npz EVALUATION.npz [--devices openvino:CPU]
                                    [--runtimes onnxruntime==1.20.1 onnxruntime onnxruntime-openvino]

WHEEL is one of this package (pip wheel . --no-deps). Each runtime gets a virtual environment of its own. The search is bench/grid12.yaml
over 100 calibration and 200 evaluation samples; on a runtime with the named devices it runs there, too.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

GRID = pathlib.Path(__file__).with_name("grid12.yaml")
PROGRAM = """
import json, sys
import quantsearch
model, calibration, evaluation, grid, device = sys.argv[1:]
config = quantsearch.AutoSearchConfig.from_file(grid)
config.search_devices = device
result = quantsearch.auto_search(model, calibration, evaluation=evaluation, config=config, limit=100, evaluation_limit=200, progress=False)
best = result.best_trial
states = [trial.state for trial in result.study.trials]
print("result:", json.dumps({
    "version": quantsearch.runtime_version(), "complete": states.count("complete"), "trials": len(states),
    "best": best.config, "value": best.value, "seconds": result.study.seconds}))
"""
DEVICES = "import json, quantsearch; print(json.dumps([p['device'] for p in quantsearch.runtime_library()['providers'] if p['device']]))"


def environment(folder, wheel, requirement):
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "numpy", requirement], check=True)
    # Without dependencies: onnxruntime-openvino is installed instead of onnxruntime.
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True)
    return python


def row(python, arguments, device):
    words = [arguments.model, arguments.calibration, arguments.evaluation, GRID, device]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([python, "-c", PROGRAM, *map(str, words)], cwd=folder, capture_output=True, text=True)
    answers = [line for line in done.stdout.splitlines() if line.startswith("result: ")]
    if not answers:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f" | {device} | failed: {last} | | |"
    found = json.loads(answers[-1][len("result: ") :])
    best = " ".join(str(value) for value in found["best"].values())
    return f"{found['version']} | {device} | {found['complete']} of {found['trials']} | {best} | {found['value']:.5g} | {found['seconds']:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("wheel", "model", "calibration", "evaluation"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--runtimes", nargs="+", default=["onnxruntime==1.20.1", "onnxruntime", "onnxruntime-openvino"])
    parser.add_argument("--devices", nargs="+", default=["openvino:CPU"])
    arguments = parser.parse_args()
    print("| package | runtime | device | complete | best | L2 | s |\n|---|---|---|---|---|---|---|")
    for requirement in arguments.runtimes:
        with tempfile.TemporaryDirectory() as folder:
            try:
                python = environment(pathlib.Path(folder) / "environment", arguments.wheel, requirement)
            except subprocess.CalledProcessError as error:
                print(f"| {requirement} | cannot be installed: {error.cmd[-1]} | | | | | |", flush=True)
                continue
            devices = json.loads(subprocess.run([python, "-c", DEVICES], check=True, capture_output=True, text=True).stdout)
            wanted = [device for device in arguments.devices if device.split(":")[0] in {present.split(":")[0] for present in devices}]
            for device in ["cpu", *wanted]:
                print(f"| {requirement} | {row(python, arguments, device)} |", flush=True)


if __name__ == "__main__":
    main()
