"""Searches the most accurate model within limits on file size, latency and loss.

    python limits.py [MODEL.onnx CALIBRATION.npz EVALUATION.npz]
"""

import pathlib
import sys

import quantsearch

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "fashion_mnist"


def main(model=SHIPPED / "mobilenet_s.onnx", calibration=SHIPPED / "calibration_100.npz", evaluation=SHIPPED / "evaluation_2000.npz"):
    float_bytes = pathlib.Path(model).stat().st_size
    config = quantsearch.AutoSearchConfig(
        search_space={"weight_type": ["QInt8", "QInt16"], "activation_type": ["QUInt8", "QUInt16"], "per_channel": [False, True]},
        search_metric="top1",
        search_limits={"size_bytes": float_bytes // 2, "latency_ms": 50, "drop": 0.02},
    )
    result = quantsearch.auto_search(model, calibration, config=config, evaluation=evaluation, output="limits")
    for trial in result.study.trials:
        within = "within the limits" if trial.is_feasible else "beyond a limit"
        print(f"trial {trial.number}: top1 {trial.value:.4f}, {trial.size_bytes} bytes, {within}")
    best = result.best_trial
    print(f"best: trial {best.number}, {best.size_bytes} of {float_bytes} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
