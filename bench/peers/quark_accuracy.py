"""Measures the accuracy of AMD Quark, used as a black box, on the rows of bench/accuracy.yaml.

    python quark_accuracy.py CALIBRATION.npz EVALUATION.npz MODEL.onnx...

The measures are those of accuracy_bench: 100 calibration samples one at a time, top-1 over all of EVALUATION, and as L2 the mean
Euclidean distance of the first output over its first 200 samples. Prints a Markdown table.
"""
import contextlib
import logging
import os
import sys
import tempfile

import numpy as np
import yaml

from quark_settings import Reader, quantizer_of, session_outputs


def quantizer_for(row):
    from quark.onnx import ModelQuantizer
    from quark.onnx.quantization.config import Config, get_default_config

    settings = dict(row["quantization_config"])
    if "preset" in settings:
        config = get_default_config(settings["preset"])
        config.include_cle = settings.get("include_cle", False)  # equalization has separate rows
        config.extra_options.update(settings.get("extra_options", {}))
        return ModelQuantizer(Config(global_quant_config=config))
    method = settings["calibrate_method"]
    if "." not in method:
        method = ("LayerWiseMethod." if method == "LayerWisePercentile" else "CalibrationMethod.") + method
    return quantizer_of(method, settings["activation_type"], settings.get("per_channel", False), settings["extra_options"],
                        settings.get("include_cle", False))


def cell(row, model, calibration, evaluation, labels, reference, folder):
    if row["quantization_config"].get("include_sq"):
        return ""  # Quark's SmoothQuant is not compared
    out = os.path.join(folder, "out.onnx")
    try:
        quantizer_for(row).quantize_model(model, out, Reader("input", calibration))
        result = session_outputs(out, "input", evaluation)
    except Exception as failure:  # a row that Quark cannot run is a cell of the table
        return f"{type(failure).__name__}"
    distance = np.linalg.norm((result - reference)[:200], axis=1).mean()
    return f"{(result.argmax(1) == labels).mean():.4f} / {distance:.3f}"


def main():
    logging.disable(logging.WARNING)
    calibration = np.load(sys.argv[1])["input"][:100]
    data = np.load(sys.argv[2])
    evaluation, labels = data["input"], data["labels"]
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "accuracy.yaml"), encoding="utf-8") as file:
        rows = yaml.safe_load(file)
    models = [os.path.abspath(model) for model in sys.argv[3:]]
    lines = {row["name"]: [] for row in rows}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # Quark leaves files in the current folder
        for model in models:
            reference = session_outputs(model, "input", evaluation)
            for row in rows:
                lines[row["name"]].append(cell(row, model, calibration, evaluation, labels, reference, folder))
    print("| top-1 / L2 | " + " | ".join(os.path.basename(model)[:-5] for model in models) + " |")
    print("|---" * (len(models) + 1) + "|")
    for name, cells in lines.items():
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
