"""Models from paths, bytes and ModelProto."""

import pathlib
import pickle

import numpy
import pytest
import quantsearch
from onnx import TensorProto, helper


def test_the_same_model_comes_from_a_path_its_bytes_and_a_proto(model_path):
    onnx = pytest.importorskip("onnx")
    expected = quantsearch.load_model(model_path).serialize()
    assert quantsearch.load_model(pathlib.Path(model_path)).serialize() == expected
    assert quantsearch.load_model(pathlib.Path(model_path).read_bytes()).serialize() == expected
    assert quantsearch.load_model(onnx.load(model_path)).serialize() == expected


def test_inputs_have_name_type_and_dimensions(model_path):
    model = quantsearch.load_model(model_path)
    assert model.inputs == [("input", "float32", ["N", 1, 28, 28])]
    assert model.outputs == [("logits", "float32", ["N", 10])]


def test_another_type_names_what_came_and_what_is_taken():
    with pytest.raises(quantsearch.InvalidInput) as raised:
        quantsearch.load_model(3)
    assert str(raised.value) == (
        "load: got a model of type int, expected the path of an .onnx file, its bytes, an onnx.ModelProto or a "
        "quantsearch.Model"
    )


def test_a_proto_beyond_2_gb_is_refused_with_the_way_out():
    class Large:
        graph = None

        def SerializeToString(self):
            raise ValueError("Message onnx.ModelProto exceeds maximum protobuf size of 2GB: 3000000000")

    with pytest.raises(quantsearch.InvalidInput, match="exceeds maximum protobuf size .*; save a model of more than 2 GB with external data"):
        quantsearch.load_model(Large())


def test_errors_are_of_the_kinds_of_python(tmp_path):
    with pytest.raises(ValueError):
        quantsearch.load_model(tmp_path / "missing.onnx")
    assert issubclass(quantsearch.InvalidInput, ValueError)
    assert issubclass(quantsearch.Unsupported, NotImplementedError)
    assert issubclass(quantsearch.IoError, OSError)
    assert issubclass(quantsearch.InternalError, RuntimeError)


def test_a_saved_model_is_the_same(model_path, tmp_path):
    model = quantsearch.load_model(model_path)
    model.save(str(tmp_path / "copy.onnx"), None)
    assert quantsearch.load_model(tmp_path / "copy.onnx").serialize() == model.serialize()


def test_models_are_pickled_and_printed(model_path):
    model = quantsearch.load_model(model_path)
    assert pickle.loads(pickle.dumps(model)).serialize() == model.serialize()
    assert repr(model) == f"Model({model.nodes} nodes, {model.weight_bytes} bytes of weights, opset {model.opset})"


def test_inspect_lists_the_layers(model_path):
    inspection = quantsearch.inspect(model_path)
    assert len(inspection["layers"]) == 22
    assert all(layer["quantized"] for layer in inspection["layers"])
    assert inspection["opset"] >= 13


@pytest.mark.parametrize("scale", [2, [2.0], numpy.array([2.0])])
def test_fixed_inputs_become_constants(scale):
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "scale"], ["y"])],
        "scaled",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "scale")],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    fixed = quantsearch.load_model(model).fix_inputs({"scale": scale})
    assert [name for name, _, _ in fixed.inputs] == ["x"]
    with pytest.raises(quantsearch.InvalidInput, match="'factor'"):
        quantsearch.inspect(model, fixed_inputs={"factor": 2})
