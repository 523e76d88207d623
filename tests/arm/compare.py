#!/usr/bin/env python3
"""Compares what the command writes on this processor and, emulated, on Arm (docs/arm.md). scripts/test_arm calls it.

    tests/arm/compare.py NATIVE "EMULATED COMMAND" FOLDER

FOLDER holds a folder for each model, with model.onnx and calibration.npz. Prints a Markdown table and what is wrong, and ends with
`N passed, N failed`. Three things must hold for every model:

- plan: `inspect --json` names the same layers with the same reasons, and the written models have the same nodes
- same statistics, same bytes: with the scales and zero points of the activations given, the written files are equal; where some
  cannot be given, because they are inside bodies or come from rewrites, the integers are
- no saturation: the emulated processors score a model alike, with and without dot products, whatever it was written for
"""
import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper

PROCESSORS = ("cortex-a72", "max")  # without and with dot products
SAMPLES = 8


class Side:
    """One way to run the command: on this processor, or as QEMU_CPU names it."""

    def __init__(self, command, processor=None):
        self.command = command
        self.environment = {**os.environ, **({"QEMU_CPU": processor} if processor else {})}

    def run(self, *arguments):
        done = subprocess.run([*self.command, *map(str, arguments)], capture_output=True, text=True, check=False, env=self.environment)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def plan(self, model):
        layers = json.loads(self.run("inspect", model, "--json"))["layers"]
        return [(layer["node"], layer["op_type"], layer["quantized"], layer["reason"]) for layer in layers]

    def quantize(self, folder, output, config):
        file = output.with_suffix(".yaml")
        file.write_text(json.dumps({"quantization_config": config}))
        self.run("quantize", folder / "model.onnx", "--calibration", folder / "calibration.npz", "--limit", SAMPLES, "--config", file,
                 "--output", output, "--no-check", "--quiet")
        return onnx.load(output)

    def scores(self, folder, quantized):
        out = self.run("evaluate", folder / "model.onnx", quantized, "--data", folder / "calibration.npz", "--limit", SAMPLES, "--json")
        return json.loads(out)["quantized"]["scores"]


def graphs(graph, path=""):
    """The graph and those inside its nodes, each with the names of the nodes around it."""
    yield path, graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from graphs(inner, f"{path}/{node.name}.{attribute.name}")


def constants(model):
    return {(path, tensor.name): numpy_helper.to_array(tensor) for path, graph in graphs(model.graph) for tensor in graph.initializer}


def nodes(model):
    return [(path, node.op_type, node.name, tuple(node.input), tuple(node.output)) for path, graph in graphs(model.graph) for node in graph.node]


def activations(model):
    """Names of the activations that a written model quantizes, those inside bodies too."""
    values = {name for _, name in constants(model)}
    return {node.input[0] for _, graph in graphs(model.graph) for node in graph.node
            if node.op_type == "QuantizeLinear" and node.input[0] not in values}


def activation_overrides(model, known):
    """Scale and zero point of the activations of a written model that the float model knows too, as TensorQuantOverrides."""
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    overrides = {}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear" and node.input[0] in known:
            scale, zero_point = values[node.input[1]], values[node.input[2]]
            overrides[node.input[0]] = [{"scale": float(scale), "zero_point": int(zero_point)}]
    return overrides


def compare(left, right):
    """Largest relative difference of the scales, and the integers that differ of all."""
    left, right = constants(left), constants(right)
    scale_difference, differing, total = 0.0, 0, 0
    for name, value in left.items():
        other = right[name]
        if value.dtype == numpy.float32 and value.shape == other.shape:
            value, other = value[value != other], other[value != other]
            size = numpy.maximum(numpy.abs(value), 1e-30)
            scale_difference = max(scale_difference, float(numpy.max(numpy.abs(value - other) / size, initial=0)))
        elif value.dtype.kind in "iu" and value.dtype != numpy.int64:
            differing += int(numpy.count_nonzero(value != other))
            total += value.size
    return scale_difference, differing, total


def saturates(scores):
    """True when the processors disagree by more than the order of float sums explains."""
    first, *others = scores
    return any(abs(other[name] - value) > 1e-3 * max(abs(value), 1e-9) for other in others for name, value in first.items()
               if name in ("rel_l2", "L2"))


def check(folder, native, emulated, work):
    """One row of the table, and what is wrong."""
    faults = []
    arm = emulated[-1]
    same_plan = native.plan(folder / "model.onnx") == arm.plan(folder / "model.onnx")
    here = native.quantize(folder, work / "here.onnx", {"preset": "U8S8_CPU"})
    there = arm.quantize(folder, work / "there.onnx", {"preset": "U8S8_CPU"})
    same_nodes = nodes(here) == nodes(there)
    if not same_plan or not same_nodes:
        faults.append("the plans differ")
    scale_difference, differing, total = compare(here, there) if same_nodes else (float("nan"), 0, 0)

    float_model = onnx.load(folder / "model.onnx").graph
    known = {name for node in float_model.node for name in node.output} | {value.name for value in float_model.input}
    fixed = {"preset": "U8S8_CPU", "target": "cpu-vnni", "extra_options": {"TensorQuantOverrides": activation_overrides(here, known)}}
    native.quantize(folder, work / "fixed_here.onnx", fixed)
    arm.quantize(folder, work / "fixed_there.onnx", fixed)
    same_bytes = (work / "fixed_here.onnx").read_bytes() == (work / "fixed_there.onnx").read_bytes()
    observed = len(activations(here) - set(fixed["extra_options"]["TensorQuantOverrides"]))
    _, fixed_differing, _ = compare(onnx.load(work / "fixed_here.onnx"), onnx.load(work / "fixed_there.onnx"))
    if fixed_differing or (not same_bytes and not observed):
        faults.append("the same scales of activations gave other bytes")
    with_scales = "same" if same_bytes else f"same but for {observed} scales that cannot be given"

    for name in ("here.onnx", "fixed_here.onnx"):
        if saturates([side.scores(folder, work / name) for side in emulated]):
            faults.append(f"a model for {'cpu' if name == 'here.onnx' else 'cpu-vnni'} scores otherwise without dot products")
    row = [folder.name, "same" if same_plan and same_nodes else "differs", f"{scale_difference:.1e}", f"{differing} of {total}",
           with_scales if not any("bytes" in fault for fault in faults) else "differ", "no" if not any("dot" in fault for fault in faults) else "yes"]
    return row, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("native")
    parser.add_argument("emulated")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    native = Side([arguments.native])
    emulated = [Side(arguments.emulated.split(), processor) for processor in PROCESSORS]
    print("| model | plan | largest difference of a scale | integers that differ | bytes with given scales | saturates |\n" + "|---" * 6 + "|", flush=True)
    failed = passed = 0
    for folder in sorted(path for path in arguments.folder.iterdir() if (path / "model.onnx").exists()):
        with tempfile.TemporaryDirectory() as work:
            row, faults = check(folder, native, emulated, Path(work))
        print("| " + " | ".join(row) + " |", flush=True)
        for fault in faults:
            print(f"{folder.name}: {fault}", flush=True)
        failed += bool(faults)
        passed += not faults
    print(f"{passed} passed, {failed} failed")
    raise SystemExit(failed != 0)


if __name__ == "__main__":
    main()
