#!/usr/bin/env python3
"""Measures models on x86 without VNNI: unprotected, with safe pairs of weights, and with safe pairs and gptq (docs/targets.md).

    bench/saturation.py COMMAND CALIBRATION.npz EVALUATION.npz MODEL.onnx... [--limit N] [--prefix COMMAND]

Each model is quantized with the default preset (and CLE for a model whose name ends in "hard") and evaluated on the first N evaluation
samples (200), on this processor and by COMMAND, which runs the same program as on a processor with AVX2 only (tools/avx2_only/run; an emulator,
`qemu-x86_64 -cpu Haswell`, gives the same digits and takes an hour). Prints Markdown: top-1 and mean squared error of the outputs,
"native / AVX2 only".
"""
import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

GPTQ = "{OptimAlgorithm: gptq, DataSize: 200}"
VARIANTS = [("32-bit sums promised (cpu-vnni)", "cpu-vnni", False), ("safe pairs (cpu)", "cpu", False), ("safe pairs + gptq (cpu)", "cpu", True)]


def configuration(model, target, tuned):
    lines = ["quantization_config:", "  preset: U8S8_CPU", f"  target: {target}"]
    if model.stem.endswith("hard"):
        lines.append("  include_cle: true")
    if tuned:
        lines += ["  include_fast_ft: true", "  extra_options:", f"    FastFinetune: {GPTQ}"]
    return "\n".join(lines) + "\n"


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout


def scores(prefix, arguments, model, quantized):
    out = run([*prefix, arguments.command, "evaluate", model, quantized, "--data", arguments.evaluation, "--limit", arguments.limit,
               "--metric", "L2", "--metric", "top1", "--json"])
    found = json.loads(out)
    return found["quantized"]["scores"], found["float"]["scores"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command")
    parser.add_argument("calibration")
    parser.add_argument("evaluation")
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--prefix", default=str(Path(__file__).resolve().parents[1] / "tools/avx2_only/run"))
    arguments = parser.parse_args()
    arguments.command = os.path.abspath(arguments.command)
    print("| model (float top-1) | " + " | ".join(name for name, _, _ in VARIANTS) + " |\n" + "|---" * (1 + len(VARIANTS)) + "|", flush=True)
    with tempfile.TemporaryDirectory() as work:
        for model in arguments.models:
            cells, float_top1 = [], 0
            for _, target, tuned in VARIANTS:
                config, output = Path(work) / "config.yaml", Path(work) / "model.onnx"
                config.write_text(configuration(model, target, tuned))
                run([arguments.command, "quantize", model, "--calibration", arguments.calibration, "--limit", 100 if not tuned else 200,
                     "--config", config, "--output", output, "--overwrite", "--no-check", "--quiet"])
                native, of_float = scores([], arguments, model, output)
                saturating, _ = scores(arguments.prefix.split(), arguments, model, output)
                float_top1 = of_float["top1"]
                cells.append(f"{native['top1']:.3f} / {saturating['top1']:.3f}, {native['L2']:.4f} / {saturating['L2']:.4f}")
            print(f"| {model.stem} ({float_top1:.3f}) | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
