"""The paths of quark.onnx.quantization."""

from ..quantizer import ModelQuantizer

__all__ = ["ModelQuantizer"]
