"""Data types of layers and algorithms, as Quark's QConfig takes them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from .._errors import Unsupported
from .enums import QuantGranularity


class QTensorConfig:
    """The type of a tensor.

    Args:
        symmetric: ranges symmetric around zero; None: as the type has it.
        calibration_method: how ranges are chosen; None: the type's own.
        quant_granularity: one scale per tensor or per output channel (of weights).
    """

    data_type = ""
    method = "CalibrationMethod.Percentile"

    def __init__(
        self,
        *,
        symmetric: Optional[bool] = None,
        calibration_method: Any = None,
        quant_granularity: Any = QuantGranularity.Tensor,
    ) -> None:
        if not self.data_type:
            raise Unsupported(f"quantize: {type(self).__name__} is not built; only integers of 8 and 16 bits are")
        self.symmetric = symmetric
        self.calibration_method = calibration_method if calibration_method is not None else self.method
        self.quant_granularity = getattr(quant_granularity, "name", quant_granularity)
        if self.quant_granularity not in ("Tensor", "Channel"):
            raise Unsupported(f"quantize: the granularity {self.quant_granularity} is not built; use Tensor or Channel")

    @property
    def per_channel(self) -> bool:
        return bool(self.quant_granularity == "Channel")


class Int8Spec(QTensorConfig):
    data_type = "QInt8"


class UInt8Spec(QTensorConfig):
    data_type = "QUInt8"


class Int16Spec(QTensorConfig):
    data_type = "QInt16"


class UInt16Spec(QTensorConfig):
    data_type = "QUInt16"


class XInt8Spec(QTensorConfig):
    """8 bits with power-of-two scales, for NPUs."""

    data_type = "QInt8"
    method = "PowerOfTwoMethod.MinMSE"


class Int32Spec(QTensorConfig):
    """Of biases only, which are int32 always."""

    data_type = "QInt32"


class BFloat16Spec(QTensorConfig):
    """Not built."""


class BFP16Spec(QTensorConfig):
    """Not built."""


class Int4Spec(QTensorConfig):
    """Not built."""


class QLayerConfig:
    """Types of a layer: what it reads, its weight. `activation` is another name of `input_tensors`; outputs have
    the type of the layers that read them."""

    def __init__(
        self,
        *,
        activation: Optional[QTensorConfig] = None,
        weight: Optional[QTensorConfig] = None,
        input_tensors: Optional[QTensorConfig] = None,
        output_tensors: Optional[QTensorConfig] = None,
        bias: Optional[QTensorConfig] = None,
    ) -> None:
        self.input_tensors = input_tensors or activation or output_tensors
        self.weight = weight
        if bias is not None and not isinstance(bias, Int32Spec):
            raise Unsupported("quantize: biases are int32; leave out 'bias'")

    def types(self) -> Dict[str, str]:
        """activation_type and weight_type, as far as given."""
        given = {"activation_type": self.input_tensors, "weight_type": self.weight}
        return {name: spec.data_type for name, spec in given.items() if spec is not None}


class AlgoConfig:
    """An algorithm with its options, by Quark's names: num_iterations=1000 is FastFinetune's NumIterations."""

    switch = ""  # the option that turns it on
    group = ""  # prefix of its options: "" or a group of extra_options
    fixed: Dict[str, Any] = {}
    names: Dict[str, str] = {}  # of options that are not the same words

    def __init__(self, **options: Any) -> None:
        self.options = options

    def add_to(self, config: Dict[str, Any]) -> None:
        """Adds the options to a quantization configuration."""
        extra = config.setdefault("extra_options", {})
        if self.switch.startswith("include_"):
            config[self.switch] = True
        elif self.switch:
            extra[self.switch] = True
        target = extra.setdefault(self.group, {}) if self.group else extra
        target.update(self.fixed)
        for name, value in self.options.items():
            if value is not None:
                target[self.names.get(name, _camel(name))] = value


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


_FINETUNE_NAMES = {"lr_adjust": "LRAdjust", "use_gds": "UseGDS", "output_qdq": "OutputQDQ"}


class AdaRoundConfig(AlgoConfig):
    switch, group, fixed, names = "include_fast_ft", "FastFinetune", {"OptimAlgorithm": "adaround"}, _FINETUNE_NAMES


class AdaQuantConfig(AlgoConfig):
    switch, group, fixed, names = "include_fast_ft", "FastFinetune", {"OptimAlgorithm": "adaquant"}, _FINETUNE_NAMES


class GPTQConfig(AlgoConfig):
    switch, group, fixed = "include_fast_ft", "FastFinetune", {"OptimAlgorithm": "gptq"}


class CLEConfig(AlgoConfig):
    switch = "include_cle"
    names = {
        name: "CLE" + _camel(name.removeprefix("cle_"))
        for name in (
            "cle_steps",
            "cle_balance_method",
            "cle_scale_append_bias",
            "cle_scale_use_threshold",
            "cle_weight_threshold",
            "cle_total_layer_diff_threshold",
        )
    }


class SmoothQuantConfig(AlgoConfig):
    switch, names = "include_sq", {"alpha": "SmoothAlpha"}


class BiasCorrectionConfig(AlgoConfig):
    switch = "BiasCorrection"


class AutoMixprecisionConfig(AlgoConfig):
    switch, group = "include_auto_mp", "AutoMixprecision"


class QuarotConfig(AlgoConfig):
    def add_to(self, config: Dict[str, Any]) -> None:
        raise Unsupported("quantize: rotations (QuaRot) are not built; use SmoothQuantConfig")


def rounding_methods(algorithms: List[AlgoConfig]) -> List[str]:
    """Names of the algorithms that round weights, of which a model takes one."""
    return [type(algorithm).__name__ for algorithm in algorithms if algorithm.group == "FastFinetune"]
