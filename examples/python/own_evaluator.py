"""Judges candidates by a score of one's own: the accuracy of the least accurate class.

    python own_evaluator.py [MODEL.onnx CALIBRATION.npz EVALUATION.npz]     with `input` and `labels` in EVALUATION.npz
"""

import pathlib
import sys

import numpy
import quantsearch

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "fashion_mnist"


class WorstClass:
    """Gets an onnxruntime.InferenceSession of the float model first and of each candidate then."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def evaluate(self, session):
        name = session.get_inputs()[0].name
        classes = session.run(None, {name: self.images})[0].argmax(1)
        return min(float((classes[self.labels == label] == label).mean()) for label in numpy.unique(self.labels))


def main(model=SHIPPED / "mobilenet_s.onnx", calibration=SHIPPED / "calibration_100.npz", evaluation=SHIPPED / "evaluation_2000.npz"):
    data = numpy.load(evaluation)
    config = quantsearch.AutoSearchConfig(
        search_space={"calibrate_method": ["MinMax", "Percentile", "Entropy"], "per_channel": [False, True]},
    )
    result = quantsearch.auto_search(
        model, calibration, config=config, evaluator=WorstClass(data["input"], data["labels"]), output="own_evaluator"
    )
    for trial in sorted(result.study.trials, key=lambda trial: -trial.value):
        print(f"{trial.value:.4f}  {trial.config}")
    print("the float model:", result.float_model.scores["custom"])


if __name__ == "__main__":
    main(*sys.argv[1:])
