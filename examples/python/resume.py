"""Ends a search early and goes on with it: finished trials are not run again.

    python resume.py [MODEL.onnx CALIBRATION.npz]
"""

import pathlib
import sys

import quantsearch

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "fashion_mnist"
SPACE = {"calibrate_method": ["MinMax", "Percentile", "Entropy"], "activation_type": ["QUInt8", "QInt8"]}


def show(progress):
    print(f"trial {progress.trial.number} of {progress.total}: {progress.trial.value:.4g}")


def main(model=SHIPPED / "mobilenet_s.onnx", calibration=SHIPPED / "calibration_100.npz"):
    first = quantsearch.AutoSearchConfig(search_space=SPACE, search_stop_condition={"iteration_limit": 2})
    result = quantsearch.auto_search(model, calibration, config=first, output="resumed", progress=show)
    print(result.study.stop_message)

    rest = quantsearch.AutoSearchConfig(search_space=SPACE)
    result = quantsearch.auto_search(model, calibration, config=rest, output="resumed", resume=True, progress=show)
    print(f"{len(result.study.trials)} trials, the best is {result.best}")


if __name__ == "__main__":
    main(*sys.argv[1:])
