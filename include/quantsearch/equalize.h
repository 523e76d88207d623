#pragma once

// Moves scales between the layers of a float model without changing what the model computes, so
// that a quantizer gets channels of similar size. docs/algorithms/cle.md has the formulas.

#include <optional>
#include <string>
#include <vector>

#include "quantsearch/calibrate.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// How much of a channel's value before its Relu moves into the bias of the next layer.
enum class BiasAbsorption {
  none,
  // The least observed value; the model computes the same on the calibration data.
  minimum,
  // The mean - 3 standard deviations, as in Nagel et al.; this changes one value in a thousand.
  three_sigma,
};

/// Options of cross-layer equalization (Nagel et al. 2019, https://arxiv.org/abs/1906.04721). The
/// names in parentheses are the options of a configuration.
struct EqualizeOptions {
  /// Number of sweeps over all chains (CLESteps). Absent: sweeps go on until one changes the
  /// weights by at most `total_difference`, or by hardly less than the one before.
  std::optional<int> steps = 1;
  /// With `use_threshold` (CLEScaleUseThreshold) a channel keeps its scale when the sum of its
  /// largest weights in the layers of its chain is below this value (CLEWeightThreshold), because
  /// it contributes almost nothing.
  double weight_threshold = 0.5;
  bool use_threshold = true;
  /// Counts a share of the bias as a weight of its channel (CLEScaleAppendBias), so that a channel
  /// with tiny weights and a large bias is not scaled up.
  bool append_bias = true;
  // Sum over layers of the mean |change| (CLETotalLayerDiffThreshold).
  double total_difference = 1.9e-7;
  /// Replaces a Clip from 0 to 6 by a Relu first (ReplaceClip6Relu). This changes what the model
  /// computes.
  bool replace_clip6 = false;
  /// The argument of absorb_biases(), which runs after equalize() (CLEBiasAbsorption). equalize()
  /// does not read it.
  BiasAbsorption bias_absorption = BiasAbsorption::none;
  bool operator==(const EqualizeOptions&) const = default;
};

struct Equalized {
  Model model;
  bool changed = false;            // false: `model` is the given one
  std::vector<std::string> notes;  // what was done, and where a chain ended at a Clip
};

/// Equalizes every chain of Conv, ConvTranspose, Gemm and MatMul with constant float32 weights. The
/// layers of a chain are connected only through operators f with f(s x) = s f(x) for s > 0 (Relu,
/// LeakyRelu, PRelu, pooling, zero padding, means over space, ...) and through additions of a
/// constant per channel, by tensors that have one reader and are not graph outputs. Depthwise
/// layers inside a chain are balanced together with both neighbours. Weights are computed in double
/// and rounded once; a shared weight is copied. `model` must be simplified and have inferred
/// shapes. Throws InvalidInput for options out of bounds.
[[nodiscard]] Equalized equalize(Model model, const EqualizeOptions& options);

/// True when equalize() would find something to do. Costs a walk over the graph and no arithmetic.
[[nodiscard]] bool can_equalize(const Model& model, const EqualizeOptions& options);

/// Moves constants from the bias of one layer into that of the next (Nagel et al. 2019, section
/// 4.1.3). A channel that is at least c > 0 before a Relu satisfies relu(x) = relu(x - c) + c, so c
/// is subtracted from the bias of the layer before the Relu and added, multiplied by the weights,
/// to the bias of the layer after it. The tensor between them loses the part of its range that all
/// values of the channel have in common. Works through Relu, LeakyRelu, PRelu, pooling and means
/// over space, into Gemm, MatMul with an Add, and Conv without padding (the zeros of a padding
/// would not have been reduced by c). `statistics` must have been observed on `model`.
[[nodiscard]] Equalized absorb_biases(Model model, const Statistics& statistics,
                                      BiasAbsorption absorption);

/// The tensors whose statistics absorb_biases() reads.
[[nodiscard]] std::vector<std::string> tensors_to_absorb(Model model);

/// Options of SmoothQuant (Xiao et al. 2022, https://arxiv.org/abs/2211.10438).
/// docs/algorithms/smoothquant.md has the formulas.
struct SmoothOptions {
  /// How much of the spread of the activations moves into the weights, in [0, 1] (SmoothAlpha).
  /// Absent: chosen for each tensor from its statistics; a tensor that would gain nothing is left
  /// unchanged.
  std::optional<double> alpha = 0.5;
  /// True when weights will have a scale per output channel, which the choice of alpha takes into
  /// account.
  bool per_channel_weights = false;
  bool operator==(const SmoothOptions&) const = default;
};

struct Smoothed {
  Model model;
  bool changed = false;  // false: `model` is the given one
  // One for each tensor, with the reason when it was left unchanged.
  std::vector<std::string> notes;
};

/// Divides each input channel of Conv, ConvTranspose, Gemm and MatMul with constant float32 weights
/// by a scale, and multiplies the weights by it. All layers that read a tensor share its scales,
/// and so do all tensors whose layers share a weight. When nothing else reads the tensor, the node
/// that makes it takes over the division: a normalization, a Mul by a constant per channel, or a
/// linear layer. Otherwise one Mul is added, and the layers read its output. Channels without
/// activations or weights keep their scale. `model` must be simplified and have inferred shapes;
/// `statistics` must have been observed on it. Throws InvalidInput for an alpha out of bounds.
[[nodiscard]] Smoothed smooth(Model model, const Statistics& statistics,
                              const SmoothOptions& options);

/// True when the model has a layer whose input could be smoothed.
[[nodiscard]] bool can_smooth(const Model& model);

}  // namespace quantsearch
