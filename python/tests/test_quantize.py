"""One quantized model, and its scores."""

import pickle

import numpy
import pytest
import quantsearch
from conftest import Reader


def test_a_reader_and_an_array_give_the_same_bytes(model_path, arrays, images):
    from_arrays = quantsearch.quantize(model_path, arrays)
    from_reader = quantsearch.quantize(model_path, Reader(images))
    assert from_arrays.model.serialize() == from_reader.model.serialize()
    assert from_arrays.weight_bytes < from_arrays.float_weight_bytes / 3
    assert "22 of 22 layers quantized" in repr(from_arrays)


def test_the_result_names_the_configuration_that_builds_it_again(model_path, arrays):
    first = quantsearch.quantize(model_path, arrays, config={"preset": "S8S8_AAWS", "per_channel": True})
    again = quantsearch.quantize(model_path, arrays, config=first.config)
    assert again.model.serialize() == first.model.serialize()


def test_the_output_is_written_and_not_replaced_unasked(model_path, arrays, tmp_path):
    file = tmp_path / "quantized.onnx"
    result = quantsearch.quantize(model_path, arrays, output=file, check=False)
    assert result.check is None
    assert quantsearch.load_model(file).serialize() == result.model.serialize()
    with pytest.raises(quantsearch.InvalidInput, match="exists; pass overwrite=True or choose another file"):
        quantsearch.quantize(model_path, arrays, output=file)
    quantsearch.quantize(model_path, arrays, output=file, overwrite=True, check=False)


def test_enums_of_onnxruntime_are_taken(model_path, arrays):
    quantization = pytest.importorskip("onnxruntime.quantization")
    config = {"calibrate_method": quantization.CalibrationMethod.Percentile, "activation_type": quantization.QuantType.QUInt8}
    result = quantsearch.quantize(model_path, arrays, config=config, check=False)
    assert result.config["calibrate_method"] == "CalibrationMethod.Percentile"
    assert result.config["activation_type"] == "QUInt8"


def test_unknown_options_name_the_nearest(model_path, arrays):
    with pytest.raises(quantsearch.InvalidInput, match="calibrate_method"):
        quantsearch.quantize(model_path, arrays, config={"calibrate_metod": "MinMax"})
    with pytest.raises(quantsearch.InvalidInput, match="quantization_config.extra_options.Percentile"):
        quantsearch.quantize(model_path, arrays, config={"extra_options": {"Percentile": object()}})


def test_evaluation_scores_both_models(model_path, arrays):
    quantized = quantsearch.quantize(model_path, arrays, check=False).model
    labels = numpy.arange(24) % 10
    evaluation = quantsearch.evaluate(model_path, quantized, arrays, labels=labels, latency=True)
    assert evaluation.samples == 24
    assert 0.99 < evaluation.scores["cos"] < 1
    assert evaluation.float_model.scores["cos"] == 1
    assert 0 <= evaluation.scores["top1"] <= 1
    assert evaluation.quantized.latency_ms > 0
    assert pickle.loads(pickle.dumps(evaluation)) == evaluation
    only = quantsearch.evaluate(model_path, quantized, arrays, metrics=["L2"])
    assert only.scores == {"L2": pytest.approx(evaluation.scores["L2"], rel=1e-6)}


def test_a_device_that_the_runtime_lacks_is_refused(model_path, arrays):
    with pytest.raises(quantsearch.InvalidInput):
        quantsearch.evaluate(model_path, model_path, arrays, device="tpu:0")
    with pytest.raises(quantsearch.InvalidInput, match="got the devices 'cuda:0,1', expected one"):
        quantsearch.evaluate(model_path, model_path, arrays, device="cuda:0,1")


def test_presets_have_options_or_a_reason():
    presets = quantsearch.presets()
    assert presets["S8S8_AAWS"].config["activation_type"] == "QInt8"
    assert all((preset.config is None) == (preset.refused is not None) for preset in presets.values())
    with pytest.raises(quantsearch.Unsupported):
        quantsearch.quantize(b"", {}, config=next(name for name, preset in presets.items() if preset.refused))


def test_metrics_and_options_are_described():
    assert quantsearch.metrics()["cos"]["direction"] == "maximize"
    assert quantsearch.options()["extra_options.Percentile"]["meaning"]
