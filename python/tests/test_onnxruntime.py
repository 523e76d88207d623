"""The drop-in for onnxruntime.quantization.quantize_static."""

import inspect

import pytest
import quantsearch
from conftest import Reader
from quantsearch.onnxruntime import CalibrationMethod, QuantFormat, QuantType, quantize_static


def test_the_signature_is_that_of_onnxruntime():
    theirs = pytest.importorskip("onnxruntime.quantization").quantize_static
    ours = inspect.signature(quantize_static).parameters
    for name, parameter in inspect.signature(theirs).parameters.items():
        assert name in ours
        default = parameter.default
        if default is not parameter.empty:  # onnxruntime 1.23 and older require the data reader
            assert getattr(ours[name].default, "name", ours[name].default) == getattr(default, "name", default)


def test_a_call_of_onnxruntime_writes_a_model(model_path, images):
    quantize_static(
        model_path,
        "quantized.onnx",
        Reader(images),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.Percentile,
        extra_options={"CalibPercentile": 99.9, "WeightSymmetric": True},
    )
    config = {
        "per_channel": True,
        "activation_type": "QUInt8",
        "weight_type": "QInt8",
        "calibrate_method": "Percentile",
        "extra_options": {"Percentile": 99.9, "WeightSymmetric": True},
    }
    expected = quantsearch.quantize(model_path, {"input": images}, config=config, check=False).model
    assert quantsearch.load_model("quantized.onnx").serialize() == expected.serialize()


def test_enums_of_onnxruntime_are_taken(model_path, images):
    theirs = pytest.importorskip("onnxruntime.quantization")
    quantize_static(
        model_path, "quantized.onnx", Reader(images), theirs.QuantFormat.QDQ, activation_type=theirs.QuantType.QUInt8,
        calibrate_method=theirs.CalibrationMethod.Entropy,
    )
    assert quantsearch.inspect("quantized.onnx")["quantized_activations"]


def test_what_is_not_built_is_refused(model_path, images):
    with pytest.raises(quantsearch.Unsupported, match="calibration runs on the CPU"):
        quantize_static(model_path, "o.onnx", Reader(images), calibration_providers=["CUDAExecutionProvider"])
    with pytest.raises(quantsearch.Unsupported):
        quantize_static(model_path, "o.onnx", Reader(images), QuantFormat.QOperator)
    with pytest.raises(quantsearch.InvalidInput, match="ranges come from samples"):
        quantize_static(model_path, "o.onnx")
    with pytest.raises(quantsearch.InvalidInput, match="ActivationSymmetric"):
        quantize_static(model_path, "o.onnx", Reader(images), extra_options={"ActivationSymetric": True})
