"""The path of quark.onnx.quantization.config.custom_config."""

from ...config import get_default_config

__all__ = ["get_default_config"]
