#!/usr/bin/env python3
"""Measures what the other activation type saves once operators are placed.

    bench/placed_types.py COMMAND FOLDER NAME... [--seconds 25]

COMMAND is the built command. FOLDER contains a folder for each NAME with model.onnx, calibration.npz and evaluation.npz. Two searches of one trial
choose the placement, one with uint8 activations and one with int8 (time limit 120 s, a quarter of which is for the placement). The model is then
built with each type and everything on integers, at the placement for uint8 and at that for int8, and all forms and the float model run in turns
with one thread in the Python package onnxruntime for `--seconds`. Prints Markdown: for each form the median of the ratios of its processor time
to that of the float model.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy
import onnxruntime

TYPES = {"uint8": "QUInt8", "int8": "QInt8"}


def config(path, kind, nodes=(), **keys):
    settings = {"activation_type": TYPES[kind], "weight_type": "QInt8", "per_channel": True, "nodes_to_exclude": list(nodes)}
    path.write_text(json.dumps({"quantization_config": settings, **keys}))
    return path


def placement(command, data, kind, work):
    """The nodes that the fastest placement for this type leaves float."""
    path = config(work / "search.json", kind, search_algo="escalation", search_goal="fastest", search_metric="auto",
                  search_stop_condition={"iteration_limit": 1, "time_limit": 120})
    done = subprocess.run([command, "search", data / "model.onnx", "--calibration", data / "calibration.npz", "--evaluation", data / "evaluation.npz",
                           "--config", path, "--output", work / "out", "--overwrite", "--quiet"], check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(f"the search ended with {done.returncode}")
    return json.loads((work / "out" / "results.json").read_text())["placement"]["choices"][0]


def opened(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def form(command, data, kind, nodes, work):
    output = work / "form.onnx"
    subprocess.run([command, "quantize", data / "model.onnx", "--calibration", data / "calibration.npz", "--config",
                    config(work / "form.json", kind, nodes), "--output", output, "--overwrite", "--no-check"], check=True, capture_output=True)
    return opened(output)


def first_sample(session, data):
    arrays = numpy.load(data / "calibration.npz")
    return {value.name: arrays[value.name][:1] if arrays[value.name].ndim == len(value.shape) else arrays[value.name][0]
            for value in session.get_inputs()}


def ratios(sessions, feed, seconds):
    """For each session the median of its processor time beside that of the first, over rounds in which all run in turn."""
    for session in sessions:
        for _ in range(3):
            session.run(None, feed)
    rounds, end = [], time.monotonic() + seconds
    while time.monotonic() < end or not rounds:
        times = []
        for session in sessions:
            start = time.process_time()
            session.run(None, feed)
            times.append(time.process_time() - start)
        rounds.append(times)
    return [statistics.median(times[at] / times[0] for times in rounds) for at in range(len(sessions))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--seconds", type=float, default=25)
    given = parser.parse_args()
    places = ["everything on integers", "placed for uint8", "placed for int8"]
    print("| model | " + " | ".join(f"{place}: {kind}" for place in places for kind in TYPES) + " |\n" + "|---" * 7 + "|")
    for name in given.names:
        data = given.folder / name
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            nodes = [[]] + [placement(given.command, data, kind, work) for kind in TYPES]
            sessions = [opened(data / "model.onnx")] + [form(given.command, data, kind, of, work) for of in nodes for kind in TYPES]
        found = ratios(sessions, first_sample(sessions[0], data), given.seconds)[1:]
        print(f"| {name} | " + " | ".join(f"{ratio:.2f}" for ratio in found) + " |", flush=True)


if __name__ == "__main__":
    main()
