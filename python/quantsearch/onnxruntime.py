"""onnxruntime.quantization.quantize_static with this library: replace ``onnxruntime.quantization`` by
``quantsearch.onnxruntime`` in the import line.

docs/from_quark.md has a table of the arguments and options.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, Optional, Sequence

from ._api import quantize
from ._data import Data
from ._errors import InvalidInput, Unsupported
from ._models import ModelSource
from .quark.enums import CalibrationMethod, QuantFormat, QuantType

__all__ = ["CalibrationMethod", "QuantFormat", "QuantType", "quantize_static"]

# Names of extra_options in onnxruntime that differ from those here.
_RENAMED = {"CalibPercentile": "Percentile", "SmoothQuantAlpha": "SmoothAlpha"}


def quantize_static(
    model_input: ModelSource,
    model_output: "str | os.PathLike[str]",
    calibration_data_reader: Data = None,
    quant_format: Any = QuantFormat.QDQ,
    op_types_to_quantize: Optional[Sequence[str]] = None,
    per_channel: bool = False,
    reduce_range: bool = False,
    activation_type: Any = QuantType.QInt8,
    weight_type: Any = QuantType.QInt8,
    nodes_to_quantize: Optional[Sequence[str]] = None,
    nodes_to_exclude: Optional[Sequence[str]] = None,
    use_external_data_format: bool = False,
    calibrate_method: Any = CalibrationMethod.MinMax,
    calibration_providers: Optional[Sequence[str]] = None,
    extra_options: Optional[Mapping[str, Any]] = None,
    calibration_cache_path: "str | os.PathLike[str] | None" = None,
) -> None:
    """Quantizes `model_input` and writes `model_output`, replacing it.

    The arguments are those of onnxruntime, in its order, and its enums are taken. Samples may be anything that
    quantsearch takes as data.

    Raises:
        InvalidInput: an unknown option, naming the nearest known one.
        Unsupported: QuantFormat.QOperator, types other than 8 and 16 bits, other providers than the CPU.
    """
    if calibration_data_reader is None or calibration_cache_path is not None:
        raise InvalidInput("quantize: ranges come from samples; pass 'calibration_data_reader' and leave out 'calibration_cache_path'")
    if any(provider != "CPUExecutionProvider" for provider in calibration_providers or ()):
        raise Unsupported("quantize: calibration runs on the CPU; leave out 'calibration_providers'")
    config: Dict[str, Any] = {
        "quant_format": quant_format,
        "per_channel": per_channel,
        "reduce_range": reduce_range,
        "activation_type": activation_type,
        "weight_type": weight_type,
        "calibrate_method": calibrate_method,
    }
    lists = {
        "op_types_to_quantize": op_types_to_quantize,
        "nodes_to_quantize": nodes_to_quantize,
        "nodes_to_exclude": nodes_to_exclude,
    }
    config.update({name: list(value) for name, value in lists.items() if value})
    options = dict(extra_options or {})
    if options.pop("SmoothQuant", False):
        config["include_sq"] = True
    config["extra_options"] = {_RENAMED.get(name, name): value for name, value in options.items()}
    result = quantize(model_input, calibration_data_reader, config=config, check=False)
    result.model.save(os.fspath(model_output), True if use_external_data_format else None)
