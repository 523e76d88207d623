#!/usr/bin/env python3
"""Measures whether granularity of weights and type of activations are worth a choice for each region of a model.

    bench/region_variants.py COMMAND FOLDER NAME... [--rounds 8]

COMMAND is the built command. FOLDER contains a folder for each NAME with model.onnx and calibration.npz. The model is quantized in four forms
(weights per tensor or per channel, activations uint8 or int8), and the kernels of each are timed (the operators of results.json, with the
conversions of what they write), the forms in turn, `rounds` times. A form is chosen for each kernel by the rounds with even numbers, and what the
choice saves is taken from the others, and the other way round, so that noise saves nothing on average. Both figures are printed, and beside them
those of a choice between equal forms: the rounds of the first form, dealt out to two. Prints Markdown: each form in times of the first, and what
a choice by kernel saves beside the best form for the whole model.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

FORMS = {
    "per tensor, uint8": {"per_channel": False, "activation_type": "QUInt8"},
    "per channel, uint8": {"per_channel": True, "activation_type": "QUInt8"},
    "per tensor, int8": {"per_channel": False, "activation_type": "QInt8"},
    "per channel, int8": {"per_channel": True, "activation_type": "QInt8"},
}


def kernel_times(command, model, calibration, form, folder):
    """Microseconds of each kernel of the quantized model, those that stay float too, by the number of its first operator."""
    config = {"quantization_config": {"calibrate_method": "MinMax", "weight_type": "QInt8", **form}, "search_space": {"include_cle": [False]},
              "search_sensitivity": "never"}
    (folder / "form.json").write_text(json.dumps(config))
    done = subprocess.run([command, "search", model, "--calibration", calibration, "--config", folder / "form.json", "--output", folder / "out",
                           "--overwrite", "--quiet"], check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(f"the search ended with {done.returncode}")
    layers = json.loads((folder / "out" / "results.json").read_text())["layers"]
    return {number: layer["quantized_us"] + layer["conversions_us"] for number, layer in enumerate(layers) if "quantized_us" in layer}


def median_of(runs, kernel):
    return statistics.median(run[kernel] for run in runs)


def saved(forms):
    """What the best form of each kernel saves beside the best single form, as a share, on the other rounds than those of the choice. `forms`: for
    each form its rounds."""
    kernels = set.intersection(*(set(run) for runs in forms for run in runs))
    shares = []
    for half in (0, 1):
        choosing, judging = [runs[half::2] for runs in forms], [runs[1 - half::2] for runs in forms]
        single = min(range(len(forms)), key=lambda form: sum(median_of(choosing[form], kernel) for kernel in kernels))
        best = {kernel: min(range(len(forms)), key=lambda form: median_of(choosing[form], kernel)) for kernel in kernels}
        one = sum(median_of(judging[single], kernel) for kernel in kernels)
        shares.append(1 - sum(median_of(judging[best[kernel]], kernel) for kernel in kernels) / one)
    return " and ".join(f"{100 * share:.1f}" for share in sorted(shares)) + " %"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--rounds", type=int, default=8)
    given = parser.parse_args()
    if given.rounds < 4:
        parser.error("a choice and its control need 4 rounds")
    names = list(FORMS)
    choices = {"granularity": names[2:], "type": [names[0], names[2]], "both": names}
    print("| model | kernels | " + " | ".join(names) + " | " + " | ".join(f"{choice} by kernel saves" for choice in choices)
          + " | equal forms save |\n" + "|---" * (len(names) + len(choices) + 3) + "|")
    for name in given.names:
        data = given.folder / name
        times = {form: [] for form in FORMS}
        with tempfile.TemporaryDirectory() as work:
            for _ in range(given.rounds):
                for form, settings in FORMS.items():
                    times[form].append(kernel_times(given.command, data / "model.onnx", data / "calibration.npz", settings, Path(work)))
        totals = {form: [sum(run.values()) for run in times[form]] for form in FORMS}
        ratios = [statistics.median(here / before for here, before in zip(totals[form], totals[names[0]])) for form in FORMS]
        first = times[names[0]]
        dealt = [first[0::4] + first[1::4], first[2::4] + first[3::4]]
        saves = [saved([times[form] for form in of]) for of in choices.values()] + [saved(dealt)]
        print(f"| {name} | {len(first[0])} | " + " | ".join(f"{ratio:.3f}" for ratio in ratios) + " | " + " | ".join(saves) + " |", flush=True)


if __name__ == "__main__":
    main()
