"""Configurations of one quantization in Quark's forms, and as the mapping that the library reads."""

from __future__ import annotations

import copy
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from .. import _core
from .._errors import InvalidInput, Unsupported, type_name
from .specs import AlgoConfig, Int8Spec, QLayerConfig, XInt8Spec, rounding_methods

# What Quark takes when nothing is given, where the library has another default: in every form, and in a
# QuantizationConfig, from its names too, whose layers are equalized unless the script says otherwise.
_DEFAULTS = {"activation_type": "QInt8"}
_CLASS_DEFAULTS = {"include_cle": True}


class QuantizationConfig:
    """Options of a quantization by Quark's names, as keyword arguments and attributes.

    An option that is unknown, or that this library refuses, is an error when the configuration is used.
    """

    def __init__(self, **options: Any) -> None:
        self.extra_options: Dict[str, Any] = dict(options.pop("extra_options", None) or {})
        for name, value in options.items():
            setattr(self, name, value)

    def to_dict(self) -> Dict[str, Any]:
        """The mapping that the library reads."""
        options = {name: value for name, value in vars(self).items() if value is not None}
        if not options.get("extra_options"):
            options.pop("extra_options", None)
        return {**({} if "preset" in options else _DEFAULTS), **_CLASS_DEFAULTS, **options}

    def __repr__(self) -> str:
        return f"QuantizationConfig({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuantizationConfig) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]


class Config:
    """Quark's older wrapper of a QuantizationConfig."""

    def __init__(self, global_quant_config: "AnyConfig" = None) -> None:
        self.global_quant_config = global_quant_config

    def to_dict(self) -> Dict[str, Any]:
        return mapping_of(self.global_quant_config)


class QConfig:
    """Quark's configuration by layers.

    Args:
        global_config: types of all layers.
        specific_layer_config: types of layers by name: {QLayerConfig(...): ["/conv1/Conv"]}.
        layer_type_config: {None: ["Gemm"]} leaves operator types float.
        exclude: nodes, regular expressions that begin with ^, and pairs of lists ([starts], [ends]).
        algo_config: algorithms, at most one of which rounds weights.
        use_external_data_format: weights in a file of their own; chosen by size here.
        extra_options: further options, by name.
    """

    def __init__(
        self,
        global_config: Optional[QLayerConfig] = None,
        specific_layer_config: Optional[Mapping[QLayerConfig, Sequence[str]]] = None,
        layer_type_config: Optional[Mapping[Optional[QLayerConfig], Sequence[str]]] = None,
        exclude: Optional[Sequence[Any]] = None,
        algo_config: Optional[Sequence[AlgoConfig]] = None,
        use_external_data_format: bool = False,
        extra_options: Optional[Mapping[str, Any]] = None,
        **more_options: Any,
    ) -> None:
        self.global_config = global_config or QLayerConfig(activation=Int8Spec(), weight=Int8Spec())
        self.specific_layer_config = dict(specific_layer_config or {})
        self.layer_type_config = dict(layer_type_config or {})
        self.exclude = list(exclude or [])
        self.algo_config = list(algo_config or [])
        self.use_external_data_format = use_external_data_format
        self.extra_options = {**(extra_options or {}), **more_options}

    @staticmethod
    def get_default_config(name: str) -> QuantizationConfig:
        return get_default_config(name)

    def to_dict(self) -> Dict[str, Any]:
        """The mapping that the library reads."""
        config: Dict[str, Any] = {"extra_options": copy.deepcopy(self.extra_options)}
        self._add_types(config)
        self._add_layers(config)
        self._add_exclusions(config)
        methods = rounding_methods(self.algo_config)
        if len(methods) > 1:
            raise InvalidInput(f"quantize: got the algorithms {' and '.join(methods)}, expected one that rounds weights")
        for algorithm in self.algo_config:
            algorithm.add_to(config)
        return config

    def _add_types(self, config: Dict[str, Any]) -> None:
        activation, weight = self.global_config.input_tensors, self.global_config.weight
        config.update(_DEFAULTS)
        config.update(self.global_config.types())
        extra = config["extra_options"]
        if activation is not None:
            config["calibrate_method"] = activation.calibration_method
            if activation.symmetric is not None:
                extra.setdefault("ActivationSymmetric", activation.symmetric)
        if weight is not None:
            config["per_channel"] = weight.per_channel
            if weight.symmetric is not None:
                extra.setdefault("WeightSymmetric", weight.symmetric)
        if isinstance(activation, XInt8Spec):
            config["enable_npu_cnn"] = True
            extra.setdefault("ActivationSymmetric", True)

    def _add_layers(self, config: Dict[str, Any]) -> None:
        formats = {name: layer.types() for layer, names in self.specific_layer_config.items() for name in names}
        if any(not isinstance(name, str) or name.startswith("^") for name in formats):
            raise Unsupported("quantize: specific_layer_config takes names of nodes only, not patterns or subgraphs; list the nodes")
        if formats:
            config["node_formats"] = formats
        for layer, op_types in self.layer_type_config.items():
            if layer is not None:
                raise Unsupported(
                    f"quantize: layer_type_config gives types to all layers of {', '.join(op_types)}, which is not built; name "
                    "the layers in specific_layer_config"
                )
            config.setdefault("op_types_to_exclude", []).extend(op_types)

    def _add_exclusions(self, config: Dict[str, Any]) -> None:
        for item in self.exclude:
            if isinstance(item, str):
                config.setdefault("nodes_to_exclude", []).append(item)
            elif isinstance(item, (tuple, list)) and len(item) == 2:
                config.setdefault("subgraphs_to_exclude", []).append([list(part) for part in item])
            else:
                raise InvalidInput(
                    f"quantize: 'exclude' holds a value of type {type_name(item)}, expected names, patterns or pairs of lists"
                )


AnyConfig = Union[QuantizationConfig, Config, QConfig, Mapping[str, Any], str, None]


def get_default_config(name: str) -> QuantizationConfig:
    """The configuration of a preset by Quark's name, such as "XINT8". Raises InvalidInput for an unknown name,
    Unsupported for one that is not built."""
    options: Dict[str, Any] = _core.canonical_config(name)
    return QuantizationConfig(**options)


def mapping_of(config: AnyConfig) -> Dict[str, Any]:
    """The mapping that the library reads, of any configuration."""
    if config is None:
        return QuantizationConfig().to_dict()
    if isinstance(config, str):
        return get_default_config(config).to_dict()
    if isinstance(config, Mapping):
        return dict(config)
    if isinstance(config, (QuantizationConfig, Config, QConfig)):
        return config.to_dict()
    raise InvalidInput(
        f"quantize: got a configuration of type {type_name(config)}, expected a QConfig, Config, QuantizationConfig, mapping "
        "or the name of a preset"
    )


def is_config(value: object) -> bool:
    """True for a configuration of one quantization."""
    return isinstance(value, (QuantizationConfig, Config, QConfig))


__all__: List[str] = ["AnyConfig", "Config", "QConfig", "QuantizationConfig", "get_default_config", "is_config", "mapping_of"]
