"""The path of quark.onnx.quantization.config.config."""

from ...config import Config, QConfig, QuantizationConfig

__all__ = ["Config", "QConfig", "QuantizationConfig"]
