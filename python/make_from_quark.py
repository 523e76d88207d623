#!/usr/bin/env python3
"""Writes the table of Quark's options in docs/from_quark.md: which of them this library takes, and why it refuses others."""

from __future__ import annotations

import pathlib
import re

import quantsearch

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "from_quark.md"
MARK = "<!-- table -->\n"
# Quark's extra_options (its page "Full List of Quantization Config Features") outside of groups.
NAMES = """ActivationScaled ActivationSymmetric AddQDQPairToWeight AdjustBiasScale AlignConcat AlignEltwiseQuantType AlignPad AlignPool AlignSlice
BF16QDQToCast BF16WithClip BFPAttributes BiasCorrection CLEBalanceMethod CLEScaleAppendBias CLEScaleUseThreshold CLESteps
CLETotalLayerDiffThreshold CLEWeightThreshold CalibDataSize CalibMovingAverage CalibMovingAverageConstant CalibOptimizeDisk CalibOptimizeMem
CalibPassthroughOpTypes CalibTensorRangeSymmetric CalibWorkerNum ConvertFP16ToFP32 ConvertNCHWToNHWC ConvertOpsetVersion CopyBiasInit
CopySharedInit CryptoMode DebugMode DedicateDQNode DedicatedQDQPair EnableDualQuantNodePairs EnableSubgraph EnableVaimlBF16 EncryptionAlgorithm
EvalDataReader EvalMetrics ExecutionProviders ExtraOpTypesToQuantize FillAllValueInfo FixShapes FoldRelu ForceQuantizeNoInputCheck GPTQParams
IgnoreWarnings InputNodes Int16Bias Int16Scale Int32Bias LWPMetric MXAttributes MatMulConstBOnly MatMulNBitsParams MaxLoopNum
MinMSEModeFloatScale MinMSEModePof2Scale NPULimitationCheck NodesToExcludeOutputQuantization NodesToQuantize NumBins NumQuantizedBins
OpTypesToExcludeOutputQuantization OpTypesToQuantize OptimizeModel OutputNodes Percentile PercentileCandidates PreprocessYAML PrintSummary
QDQOpTypePerChannelSupportToAxis QuantizeAllOpTypes QuantizeBias QuantizeFP16 RConfigPath RMatrixDim RandomDataReaderInputDataRange
RandomDataReaderInputShape RefineBlockAxis RemoveInputInit ReplaceClip6Relu SaveAndRestore SaveTensorHistFig SimplifyModel SimulateDPU
SkipPreprocess SmoothAlpha TensorQuantOverrides TmpDir UseFP32Scale UseGPTQ UseMatMulNBits UsePowerOf2Scale UseQDQContribOps UseRandomData
UseRandomHad UseUnsignedReLU UserCustomOpLibPath WeightCalibrateMethod WeightScaled WeightSymmetric WeightsOnly""".split()
PROBES = (True, False, None, [], 1)


def attempt(name: str, value: object) -> "str | None":
    """Why the library refuses this value; None when it takes it."""
    try:
        quantsearch._core.canonical_config({"extra_options": {name: value}})
    except quantsearch.Error as error:
        return str(error)
    return None


def row(name: str, known: "set[str]") -> str:
    if f"extra_options.{name}" in known:
        return f"| `{name}` | the same |"
    refusals = [refusal for refusal in (attempt(name, value) for value in PROBES) if refusal]
    if not refusals:
        return f"| `{name}` | taken, without effect |"
    if "unknown key" in refusals[0]:
        return f"| `{name}` | refused: no such option |"
    reason = re.search(r"is refused: (.*)", refusals[0])
    if reason:
        return f"| `{name}` | refused: {reason.group(1)} |"
    other_name = re.search(r"'(\w+)': got", refusals[0])  # a value of another kind was tried
    return f"| `{name}` | the same as `{other_name.group(1)}` |" if other_name else f"| `{name}` | {refusals[0]} |"


def page_with_table() -> str:
    known = set(quantsearch.options())
    head = PAGE.read_text().split(MARK)[0]
    rows = [row(name, known) for name in sorted(NAMES)]
    groups = sorted({name.split(".")[1] for name in known if name.count(".") == 2})
    options = [f"| `{group}` | `{'`, `'.join(name.split('.')[2] for name in known_sorted(known, group))}` |" for group in groups]
    return f"{head}{MARK}\n| option of Quark | here |\n|---|---|\n" + "\n".join(rows) + (
        "\n\n| group | options that are taken |\n|---|---|\n" + "\n".join(options) + "\n"
    )


def known_sorted(known: "set[str]", group: str) -> "list[str]":
    return sorted(name for name in known if name.startswith(f"extra_options.{group}."))


if __name__ == "__main__":
    PAGE.write_text(page_with_table())
