"""Measures the time of AMD Quark, used as a black box, with the settings of one of this project's benchmarks.

    python quark_settings.py grid12|grid24|joint6|whole MODEL.onnx CALIBRATION.npz EVALUATION.npz [--calibrate N] [--evaluate N] [--json FILE]

grid12, grid24 and joint6 are the settings of bench/*.yaml. whole: AdaRound, 1000 iterations at 0.1, then AdaQuant, 3000 at 1e-5.
There is one process and one sample per batch. Each configuration is quantized and scored on the evaluation images (mean squared
difference to the float outputs). Prints the seconds per configuration and in total, and the peak resident memory.
"""
import argparse
import contextlib
import itertools
import json
import logging
import os
import resource
import tempfile
import time

import numpy as np
import onnxruntime as ort

METHODS = ["PowerOfTwoMethod.MinMSE", "CalibrationMethod.MinMax", "CalibrationMethod.Percentile"]
TYPES = ["QInt8", "QInt16"]
SYMMETRY = [True, False]
EQUALIZATION = [False, True]


class Reader:
    def __init__(self, name, images):
        self.name, self.images, self.next = name, images, 0

    def get_next(self):
        if self.next == len(self.images):
            return None
        self.next += 1
        return {self.name: self.images[self.next - 1:self.next]}

    def rewind(self):
        self.next = 0

    reset_iter = rewind


def session_outputs(model, name, images):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {name: images[i:i + 1]})[0] for i in range(len(images))])


def quantizer_of(method, activation, per_channel, extra_options, include_cle=False, include_fast_ft=False):
    from onnxruntime.quantization.calibrate import CalibrationMethod
    from onnxruntime.quantization.quant_utils import QuantFormat, QuantType
    from quark.onnx import ExtendedQuantFormat, LayerWiseMethod, ModelQuantizer, PowerOfTwoMethod
    from quark.onnx.quantization.config.config import Config, QuantizationConfig

    families = {"PowerOfTwoMethod": PowerOfTwoMethod, "CalibrationMethod": CalibrationMethod, "LayerWiseMethod": LayerWiseMethod}
    family, _, member = method.partition(".")
    wide = activation == "QInt16"
    config = QuantizationConfig(
        calibrate_method=getattr(families[family], member),
        quant_format=ExtendedQuantFormat.QDQ if wide else QuantFormat.QDQ,
        activation_type=getattr(QuantType, activation), weight_type=QuantType.QInt8, per_channel=per_channel, include_cle=include_cle,
        include_fast_ft=include_fast_ft,
        extra_options=dict(extra_options))
    return ModelQuantizer(Config(global_quant_config=config))


def calibration_quantizer(method, activation, symmetric, include_cle=False):
    return quantizer_of(method, activation, False, {"ActivationSymmetric": symmetric, "WeightSymmetric": True}, include_cle)


def finetune_quantizer(algorithm, iterations, rate):
    return quantizer_of("CalibrationMethod.Percentile", "QInt8", False, {
        "ActivationSymmetric": True, "WeightSymmetric": True,
        "FastFinetune": {"OptimAlgorithm": algorithm, "NumIterations": iterations, "LearningRate": rate, "DataSize": 100,
                         "BatchSize": 1, "OptimDevice": "cpu", "InferDevice": "cpu"}}, include_fast_ft=True)


SETTINGS = {
    "grid12": (calibration_quantizer, list(itertools.product(METHODS, TYPES, SYMMETRY))),
    "grid24": (calibration_quantizer, list(itertools.product(METHODS, TYPES, SYMMETRY, EQUALIZATION))),
    "joint6": (finetune_quantizer, [("adaround", iterations, rate) for rate in [0.1, 0.01, 0.001] for iterations in [100, 200]]),
    "whole": (finetune_quantizer, [("adaround", 1000, 0.1), ("adaquant", 3000, 1e-5)]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", choices=sorted(SETTINGS))
    parser.add_argument("model", type=os.path.abspath)
    parser.add_argument("calibration")
    parser.add_argument("evaluation")
    parser.add_argument("--calibrate", type=int, default=100)
    parser.add_argument("--evaluate", type=int, default=200)
    parser.add_argument("--json", type=os.path.abspath)
    arguments = parser.parse_args()
    quantizer, settings = SETTINGS[arguments.settings]
    logging.disable(logging.WARNING)
    name = ort.InferenceSession(arguments.model, providers=["CPUExecutionProvider"]).get_inputs()[0].name
    calibration = np.load(arguments.calibration)["input"][:arguments.calibrate]
    evaluation = np.load(arguments.evaluation)["input"][:arguments.evaluate]
    rows = []
    start = time.perf_counter()
    reference = session_outputs(arguments.model, name, evaluation)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # Quark leaves files in the current folder
        for setting in settings:
            begin = time.perf_counter()
            out = os.path.join(folder, "out.onnx")
            error = None
            try:
                quantizer(*setting).quantize_model(arguments.model, out, Reader(name, calibration))
                score = float(np.mean((session_outputs(out, name, evaluation) - reference) ** 2))
            except Exception as failure:  # a configuration that Quark cannot run is a row of the table
                score, error = None, f"{type(failure).__name__}: {failure}"[:200]
            rows.append({"config": list(setting), "L2": score, "error": error,
                         "seconds": time.perf_counter() - begin})
    result = {"seconds": time.perf_counter() - start, "trials": rows,
              "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    print(json.dumps(result, indent=1))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(result, file)


if __name__ == "__main__":
    main()
