"""Runs ONNX Runtime's static quantization: uint8 activations, int8 weights, MinMax, Q/DQ, per tensor.

    python ort_export.py MODEL.onnx CALIBRATION.npz OUT.onnx [--calibrate N]

The model is prepared as the documentation of ONNX Runtime advises (quant_pre_process), and converted to opset 13 if it is older.
"""
import argparse
import tempfile

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from quark_settings import Reader


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("calibration")
    parser.add_argument("out")
    parser.add_argument("--calibrate", type=int, default=100)
    arguments = parser.parse_args()
    model = onnx.load(arguments.model)
    if model.opset_import[0].version < 13:
        model = onnx.version_converter.convert_version(model, 13)
    name = model.graph.input[0].name
    arrays = np.load(arguments.calibration)
    images = arrays[name if name in arrays else list(arrays)[0]][:arguments.calibrate]
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, f"{folder}/model.onnx")
        quant_pre_process(f"{folder}/model.onnx", f"{folder}/prepared.onnx", skip_symbolic_shape=True)
        quantize_static(f"{folder}/prepared.onnx", arguments.out, Reader(name, images), quant_format=QuantFormat.QDQ,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=False,
                        reduce_range=False, calibrate_method=CalibrationMethod.MinMax)


if __name__ == "__main__":
    main()
