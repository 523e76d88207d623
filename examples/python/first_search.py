"""Searches the fastest int8 form of a model and shows what was found.

    python first_search.py [MODEL.onnx CALIBRATION.npz EVALUATION.npz]

Without arguments: the model and the images of examples/fashion_mnist.
"""

import pathlib
import sys

import quantsearch

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "fashion_mnist"


def main(model=SHIPPED / "mobilenet_s.onnx", calibration=SHIPPED / "calibration_100.npz", evaluation=SHIPPED / "evaluation_2000.npz"):
    config = quantsearch.AutoSearchConfig(
        search_space={"calibrate_method": ["MinMax", "Percentile"], "activation_type": ["QUInt8", "QInt8"]},
        search_goal="fastest",
    )
    result = quantsearch.auto_search(model, calibration, config=config, evaluation=evaluation, output="first_search")
    print(result.summary())
    print(result.best_model, result.best_trial.config)


if __name__ == "__main__":
    main(*sys.argv[1:])
