"""The path of quark.onnx.quantization.api."""

from ..quantizer import ModelQuantizer

__all__ = ["ModelQuantizer"]
