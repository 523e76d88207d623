#pragma once

// Scales moved between the layers of a float model without changing what it computes, so that a
// quantizer meets channels of like size. docs/algorithms/cle.md has the formulas.

#include <optional>
#include <string>
#include <vector>

#include "quantsearch/calibrate.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// How much of what a channel has before its Relu moves into the bias of the next layer.
enum class BiasAbsorption {
  none,
  minimum,  // the least value seen: what the model computes on the calibration data stays the same
  three_sigma,  // mean - 3 standard deviations, as Nagel et al.: changes one value in a thousand
};

/// Nagel et al. 2019, https://arxiv.org/abs/1906.04721. Names in brackets: the options of a
/// configuration.
struct EqualizeOptions {
  /// Sweeps over all chains (CLESteps); absent: until a sweep changes the weights by no more than
  /// `total_difference`, or hardly less than the one before.
  std::optional<int> steps = 1;
  /// With `use_threshold` (CLEScaleUseThreshold) a channel whose largest weights in the layers of
  /// its chain add up to less than this (CLEWeightThreshold) keeps its scale: it is all but dead.
  double weight_threshold = 0.5;
  bool use_threshold = true;
  /// A share of the bias counts as a weight of its channel (CLEScaleAppendBias): a channel of tiny
  /// weights and a large bias is not blown up.
  bool append_bias = true;
  // Sum over layers of the mean |change| (CLETotalLayerDiffThreshold)
  double total_difference = 1.9e-7;
  /// Clip from 0 to 6 becomes Relu first (ReplaceClip6Relu). This changes what the model computes.
  bool replace_clip6 = false;
  /// What absorb_biases() does behind it (CLEBiasAbsorption); equalize() itself does not read it.
  BiasAbsorption bias_absorption = BiasAbsorption::none;
  bool operator==(const EqualizeOptions&) const = default;
};

struct Equalized {
  Model model;
  bool changed = false;            // false: `model` is what was given
  std::vector<std::string> notes;  // what was done, and where a chain ended early
};

/// Equalizes every chain of Conv, ConvTranspose, Gemm and MatMul with constant float32 weights that
/// are tied only through operators f with f(s x) = s f(x) for s > 0 (Relu, LeakyRelu, PRelu,
/// pooling, zero padding, means over space, ...), through tensors with one reader that are no graph
/// outputs. Depthwise layers inside a chain are balanced together with both neighbours. Weights are
/// computed in double and rounded once; a shared weight is copied. `model` is simplified, with
/// inferred shapes. Throws InvalidInput for options out of their bounds.
[[nodiscard]] Equalized equalize(Model model, const EqualizeOptions& options);

/// Whether equalize() would find anything to do; costs a walk over the graph, no arithmetic.
[[nodiscard]] bool can_equalize(const Model& model, const EqualizeOptions& options);

/// A channel that is at least c > 0 before a Relu gives relu(x - c) + c: c leaves the bias of the
/// layer before and enters, through its weights, the bias of the layer behind (Nagel et al. 2019,
/// section 4.1.3). The range of the tensor between them loses what all values of the channel had in
/// common. Through Relu, LeakyRelu, PRelu, pooling and means over space, into Gemm, MatMul with an
/// Add and Conv without padding: a padded zero would have lost nothing. `statistics` were observed
/// on `model`.
[[nodiscard]] Equalized absorb_biases(Model model, const Statistics& statistics,
                                      BiasAbsorption absorption);

/// The tensors whose statistics absorb_biases() reads.
[[nodiscard]] std::vector<std::string> tensors_to_absorb(Model model);

/// Xiao et al. 2022, https://arxiv.org/abs/2211.10438. docs/algorithms/smoothquant.md has the
/// formulas.
struct SmoothOptions {
  /// How much of the spread of the activations moves into the weights, in [0, 1] (SmoothAlpha);
  /// absent: chosen for each tensor from its statistics, or the tensor is left alone.
  std::optional<double> alpha = 0.5;
  /// Weights will have a scale per output channel: what the choice of alpha reckons with.
  bool per_channel_weights = false;
  bool operator==(const SmoothOptions&) const = default;
};

struct Smoothed {
  Model model;
  bool changed = false;            // false: `model` is what was given
  std::vector<std::string> notes;  // one for each tensor, and why others were left alone
};

/// Divides the channels of what Conv, ConvTranspose, Gemm and MatMul with constant float32 weights
/// read by a scale each, and multiplies the weights by it. All layers that read a tensor share its
/// scales, and so do all tensors whose layers share a weight. The division goes into the
/// normalization, Mul by a constant per channel or linear layer that makes the tensor when nothing
/// else reads it; else one Mul makes the tensor that the layers read from then on. Channels without
/// activations or weights keep their scale,
/// `model` is simplified, with inferred shapes; `statistics` were observed on it. Throws
/// InvalidInput for an alpha out of its bounds.
[[nodiscard]] Smoothed smooth(Model model, const Statistics& statistics,
                              const SmoothOptions& options);

/// Whether there is a layer whose input could be smoothed.
[[nodiscard]] bool can_smooth(const Model& model);

}  // namespace quantsearch
