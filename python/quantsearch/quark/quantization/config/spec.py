"""The path of quark.onnx.quantization.config.spec."""

from ...specs import (
    BFloat16Spec,
    BFP16Spec,
    Int4Spec,
    Int8Spec,
    Int16Spec,
    Int32Spec,
    QLayerConfig,
    QTensorConfig,
    UInt8Spec,
    UInt16Spec,
    XInt8Spec,
)

__all__ = [
    "BFP16Spec",
    "BFloat16Spec",
    "Int16Spec",
    "Int32Spec",
    "Int4Spec",
    "Int8Spec",
    "QLayerConfig",
    "QTensorConfig",
    "UInt16Spec",
    "UInt8Spec",
    "XInt8Spec",
]
