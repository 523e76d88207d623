"""Calibrates with a data reader, the form that onnxruntime and AMD Quark document.

    python own_reader.py [MODEL.onnx CALIBRATION.npz]
"""

import pathlib
import sys

import numpy
import quantsearch
from onnxruntime.quantization import CalibrationDataReader

SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "fashion_mnist"


class Images(CalibrationDataReader):
    """Yields one batch after another, then None. It is read once."""

    def __init__(self, file, batch=10):
        (self.name, self.images), = numpy.load(file).items()
        self.batches = iter(range(0, len(self.images), batch))
        self.batch = batch

    def get_next(self):
        first = next(self.batches, None)
        return None if first is None else {self.name: self.images[first : first + self.batch]}


def main(model=SHIPPED / "mobilenet_s.onnx", calibration=SHIPPED / "calibration_100.npz"):
    config = quantsearch.AutoSearchConfig(search_space={"calibrate_method": ["MinMax", "Percentile"]}, search_metric="sqnr")
    # A fifth of the samples only scores, since no other data are given.
    result = quantsearch.auto_search(model, Images(calibration), config=config, holdout=0.2, output="own_reader")
    print(result.summary())


if __name__ == "__main__":
    main(*sys.argv[1:])
