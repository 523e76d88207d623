#!/usr/bin/env python3
"""Quantizes each real model with the defaults and compares it with the float model, in one table row per model.

    bench/real_models.py COMMAND FOLDER [NAME...]
    bench/real_models.py --search SECONDS COMMAND FOLDER [NAME...]

With --search each model is searched without options, under that time limit and with two threads, and the row says what was delivered.
best_config.yaml must make best.onnx again, byte for byte.
COMMAND is the built command. FOLDER contains a folder for each model with model.onnx, calibration.npz and evaluation.npz. Latencies are those
of the check before delivery: pairs of runs of both models on one thread. Prints Markdown on standard output. Exits with 1 when a model is
neither quantized nor refused for an expected reason (REFUSED).
"""
import json
import os
import subprocess
import sys
from pathlib import Path

DESTROYED = 0.1  # relative noise or worst slice above which a model is useless
# Models that are refused correctly, and words of the expected message.
REFUSED = {
    "minilm_l6_v2_q": "quantized already",
    "smart_turn_v3_qdq": "quantized already",
    "ddddocr_old_quantized": "quantized already",
    "slovorez_fp16": "ConvertFP16ToFP32",
}
HEADER = ("| model | relative noise | worst slice | ms float -> int8 (ratio, pairs) | MB float -> int8 | kernels int / float | verdict |\n"
          + "|---" * 7 + "|")


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    return done.returncode, done.stdout, done.stderr


def refusal(name, message):
    expected = REFUSED.get(name)
    if expected and expected in message:
        return f"| {name} | | | | | | refused: {expected} |", True
    return f"| {name} | | | | | | **refused**: {message[:200]} |", False


def row(command, folder, name, work):
    model, output = folder / name / "model.onnx", work / f"{name}.onnx"
    data = folder / name
    code, out, err = run([command, "quantize", model, "--calibration", data / "calibration.npz", "--output", output, "--json", "--overwrite"])
    if code != 0:
        return refusal(name, err.strip().replace("\n", " "))
    made = json.loads(out)
    latency = made["check"]["latency"]
    code, out, err = run([command, "evaluate", model, output, "--data", data / "evaluation.npz", "--metric", "rel_l2",
                          "--metric", "worst_slice", "--json"])
    if code != 0:
        return f"| {name} | | | | | | **evaluate**: {err.strip()[:200]} |", False
    judged = json.loads(out)
    scores = judged["quantized"]["scores"]
    megabytes = [judged[which]["size_bytes"] / 1e6 for which in ("float", "quantized")]
    verdict = []
    if max(scores.values()) > DESTROYED:
        verdict.append("destroyed at the defaults")
    if latency["ratio"] > 1:
        verdict.append("slower")
    if megabytes[1] > megabytes[0]:
        verdict.append("larger")
    if name in REFUSED:
        verdict.append("**expected to be refused**")
    return (f"| {name} | {scores['rel_l2']:.2g} | {scores['worst_slice']:.2g} | {latency['float_ms']:.3g} -> {latency['quantized_ms']:.3g} "
            f"({latency['ratio']:.2f}, {latency['pairs']}) | {megabytes[0]:.3g} -> {megabytes[1]:.3g} | {made['integer_kernels']} / "
            f"{made['float_kernels']} | {', '.join(verdict) or 'fine'} |"), name not in REFUSED


SEARCH_HEADER = ("| model | candidates of trials | seconds | relative noise | worst slice | MB float -> best | times as fast as float (interval) "
                 "| found by | verdict |\n" + "|---" * 9 + "|")


def method(config):
    steps = [step for key, step in (("include_fast_ft", "gptq"), ("include_cle", "CLE"), ("include_auto_mp", "layers in float")) if config.get(key)]
    placed = len(config.get("nodes_to_exclude") or [])
    return ", ".join([config["calibrate_method"].split(".")[-1]] + steps + ([f"{placed} nodes placed in float"] if placed else []))


def makes_best_again(command, data, output):
    again = output / "again.onnx"
    run([command, "quantize", data / "model.onnx", "--calibration", data / "calibration.npz", "--config", output / "best_config.yaml",
         "--output", again, "--overwrite", "--no-check"])
    same = again.exists() and again.read_bytes() == (output / "best.onnx").read_bytes()
    again.unlink(missing_ok=True)
    return same


def search_row(command, folder, name, work, seconds):
    data, output = folder / name, work / f"{name}_search"
    code, out, err = run([command, "search", data / "model.onnx", "--calibration", data / "calibration.npz", "--evaluation",
                          data / "evaluation.npz", "--output", output, "--overwrite", "--time-limit", str(seconds), "--threads", "2", "--json"])
    if code not in (0, 3):
        text, is_right = refusal(name, err.strip().replace("\n", " "))
        return text.replace("| | | | | |", "| | | | | | | |"), is_right
    result = json.loads(out)
    best = next(trial for trial in result["trials"] if trial["number"] == result["best"])
    speed = best.get("latency_ratio")
    verdict = []
    if not best["candidate"]:
        verdict.append("**no candidate**")
    elif speed and speed["low"] > 1:
        verdict.append("slower than float, said so")
    elif speed and speed["high"] >= 1:
        verdict.append("as fast as float")
    if not makes_best_again(command, data, output):
        verdict.append("**best_config.yaml makes another model**")
    fast = f"{1 / speed['ratio']:.2f} ({1 / speed['high']:.2f} to {1 / speed['low']:.2f})" if speed else ""
    return (f"| {name} | {len(result['candidates'])} of {len(result['trials'])} | {result['seconds']:.0f} | {best['scores']['rel_l2']:.2g} | "
            f"{best['scores']['worst_slice']:.2g} | {result['float']['size_bytes'] / 1e6:.3g} -> {best['size_bytes'] / 1e6:.3g} | {fast} | "
            f"{method(best['config'])} | {', '.join(verdict) or 'faster'} |"), best["candidate"] and name not in REFUSED and not any("another model" in text for text in verdict)


def processor():
    with open("/proc/cpuinfo") as lines:
        text = lines.read()
    name = next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name"))
    features = [flag for flag in ("avx2", "avx512_vnni", "avx_vnni", "amx_int8") if f" {flag}" in text]
    return f"{name} ({', '.join(features)})"


def main():
    arguments = sys.argv[1:]
    seconds = None
    if arguments[:1] == ["--search"] and len(arguments) > 1:
        seconds, arguments = float(arguments[1]), arguments[2:]
    if len(arguments) < 2:
        sys.exit(__doc__)
    command, folder = os.path.abspath(arguments[0]), Path(arguments[1])
    names = arguments[2:] or sorted(path.name for path in folder.iterdir() if (path / "model.onnx").exists())
    work = Path(os.environ.get("TMPDIR", "/tmp")) / "quantsearch_real_models"
    work.mkdir(exist_ok=True)
    print(f"Processor: {processor()}\n\n{SEARCH_HEADER if seconds else HEADER}", flush=True)
    all_right = True
    for name in names:
        text, is_right = search_row(command, folder, name, work, seconds) if seconds else row(command, folder, name, work)
        all_right &= is_right
        print(text, flush=True)
    sys.exit(0 if all_right else 1)


if __name__ == "__main__":
    main()
