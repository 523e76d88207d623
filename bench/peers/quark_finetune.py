"""Times reconstruction by AMD Quark, used as a black box: A8W8, 100 images, batch 1.

    python quark_finetune.py joint6|whole MODEL.onnx CALIBRATION.npz EVALUATION.npz [--calibrate N] [--evaluate N] [--json FILE]

joint6: the six AdaRound settings of bench/joint6.yaml. whole: AdaRound 1000 iterations at 0.1, then AdaQuant 3000 at 1e-5.
As quark_grid12.py otherwise.
"""
import sys

from quark_grid12 import quantizer_of, time_settings

SETTINGS = {
    "joint6": [("adaround", iterations, rate) for rate in [0.1, 0.01, 0.001] for iterations in [100, 200]],
    "whole": [("adaround", 1000, 0.1), ("adaquant", 3000, 1e-5)],
}


def quantizer(setting):
    algorithm, iterations, rate = setting
    return quantizer_of("CalibrationMethod.Percentile", "QInt8", False, {
        "ActivationSymmetric": True, "WeightSymmetric": True,
        "FastFinetune": {"OptimAlgorithm": algorithm, "NumIterations": iterations, "LearningRate": rate, "DataSize": 100,
                         "BatchSize": 1, "OptimDevice": "cpu", "InferDevice": "cpu"}}, include_fast_ft=True)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in SETTINGS:
        sys.exit(__doc__)
    time_settings(SETTINGS[sys.argv.pop(1)], quantizer)
