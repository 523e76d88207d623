"""The paths of quark.onnx.quantization.config."""

from ...config import Config, QConfig, QuantizationConfig, get_default_config
from ...specs import QLayerConfig

__all__ = ["Config", "QConfig", "QLayerConfig", "QuantizationConfig", "get_default_config"]
