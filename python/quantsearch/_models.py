"""Models from files, bytes and onnx.ModelProto."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Optional, Union

from . import _core
from ._errors import InvalidInput, type_name

if TYPE_CHECKING:
    from onnx import ModelProto

Model = _core.Model
#: What every function takes as a model.
ModelSource = Union[str, "os.PathLike[str]", bytes, "ModelProto", Model]


class NamedModel(NamedTuple):
    """A model with the name that results show."""

    model: Model
    name: str


def named_model(source: ModelSource) -> NamedModel:
    """Returns the model of `source`. Raises InvalidInput when it is none, as load_model() does."""
    if isinstance(source, Model):
        return NamedModel(source, "model")
    if isinstance(source, (str, os.PathLike)):
        return NamedModel(_core.load_model(os.fspath(source)), os.fspath(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return NamedModel(_core.parse_model(bytes(source), ""), "model")
    if hasattr(source, "SerializeToString") and hasattr(source, "graph"):
        return NamedModel(_core.parse_model(_serialized(source), ""), source.graph.name or "model")
    raise InvalidInput(
        f"load: got a model of type {type_name(source)}, expected the path of an .onnx file, its bytes, an "
        "onnx.ModelProto or a quantsearch.Model"
    )


def _serialized(proto: Any) -> bytes:
    try:
        content: bytes = proto.SerializeToString()
    except Exception as error:  # of protobuf, whose kinds depend on its version
        raise InvalidInput(
            f"load: the onnx.ModelProto cannot be serialized: {error}; save a model of more than 2 GB with external data "
            "(onnx.save_model with save_as_external_data=True) and pass the path of the file"
        ) from error
    return content


def load_model(source: ModelSource) -> Model:
    """Loads and validates a model.

    Args:
        source: path of an ``.onnx`` file (external data beside it are mapped, not read), its bytes, or an
            ``onnx.ModelProto`` (package ``onnx``, which is not needed otherwise).

    Returns:
        The model as an immutable value. Copies share its weights.

    Raises:
        InvalidInput: a missing, truncated or invalid file, and what else the library cannot represent.
        Unsupported: tensors in segments, sparse tensors above 2 GB.
        IoError: a file that cannot be read.
    """
    return named_model(source).model


def with_fixed_inputs(model: Model, fixed: Optional[Mapping[str, Any]]) -> Model:
    """Returns the model with these inputs as constants."""
    if fixed is not None and not isinstance(fixed, Mapping):
        raise InvalidInput(f"got fixed_inputs of type {type_name(fixed)}, expected a mapping of input names to values")
    return model.fix_inputs(dict(fixed)) if fixed else model
