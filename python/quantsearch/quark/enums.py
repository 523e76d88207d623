"""Quark's enums. Those of onnxruntime (CalibrationMethod, QuantType, QuantFormat) are taken everywhere, too."""

from __future__ import annotations

from enum import Enum


class CalibrationMethod(Enum):
    MinMax = 0
    Entropy = 1
    Percentile = 2
    Distribution = 3


class PowerOfTwoMethod(Enum):
    NonOverflow = 0
    MinMSE = 1


class LayerWiseMethod(Enum):
    LayerWisePercentile = 0


class QuantType(Enum):
    QInt8 = 0
    QUInt8 = 1
    QInt16 = 2
    QUInt16 = 3


class QuantFormat(Enum):
    QOperator = 0
    QDQ = 1


class ExtendedQuantFormat(Enum):
    QDQ = 0


class QuantGranularity(Enum):
    Tensor = 0
    Channel = 1
    Group = 2
