"""AMD Quark's ONNX interface over this library: replace ``quark.onnx`` by ``quantsearch.quark`` in the import lines.

docs/from_quark.md lists what differs and what is refused.
"""

from .auto_search import AutoSearch, AutoSearchConfig, AutoSearchPro, Candidate, Candidates, get_auto_search_config
from .config import Config, QConfig, QuantizationConfig, get_default_config
from .enums import (
    CalibrationMethod,
    ExtendedQuantFormat,
    LayerWiseMethod,
    PowerOfTwoMethod,
    QuantFormat,
    QuantGranularity,
    QuantType,
)
from .quantizer import ModelQuantizer
from .specs import (
    AdaQuantConfig,
    AdaRoundConfig,
    AutoMixprecisionConfig,
    BiasCorrectionConfig,
    CLEConfig,
    GPTQConfig,
    Int8Spec,
    Int16Spec,
    QLayerConfig,
    SmoothQuantConfig,
    UInt8Spec,
    UInt16Spec,
    XInt8Spec,
)

ExtendedQuantType = QuantType

__all__ = [
    "AdaQuantConfig",
    "AdaRoundConfig",
    "AutoMixprecisionConfig",
    "AutoSearch",
    "AutoSearchConfig",
    "AutoSearchPro",
    "BiasCorrectionConfig",
    "CLEConfig",
    "CalibrationMethod",
    "Candidate",
    "Candidates",
    "Config",
    "ExtendedQuantFormat",
    "ExtendedQuantType",
    "GPTQConfig",
    "Int16Spec",
    "Int8Spec",
    "LayerWiseMethod",
    "ModelQuantizer",
    "PowerOfTwoMethod",
    "QConfig",
    "QLayerConfig",
    "QuantFormat",
    "QuantGranularity",
    "QuantType",
    "QuantizationConfig",
    "SmoothQuantConfig",
    "UInt16Spec",
    "UInt8Spec",
    "XInt8Spec",
    "get_auto_search_config",
    "get_default_config",
]
