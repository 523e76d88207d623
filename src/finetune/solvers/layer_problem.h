#pragma once

// The input and output of the solvers: one layer as a matrix product. Nothing here depends on ONNX.
// Convolutions (im2col), transposed convolutions, Gemm and MatMul are converted to this form, and
// the result is written back.
//
// Group g maps its K inputs to its R rows: y[g*R + r] = sum_k w[g*R + r][k] * x[g][k] + b[g*R + r].
// An ordinary layer has one group; a depthwise convolution has as many groups as channels, each
// with one row.

#include <cstdint>
#include <optional>
#include <vector>

#include "finetune/solvers/float_buffer.h"
#include "quantsearch/quantize.h"

namespace quantsearch::reconstruction {

struct LayerShape {
  std::int64_t groups = 1;
  std::int64_t rows = 0;     // R, per group
  std::int64_t columns = 0;  // K, per group

  [[nodiscard]] std::int64_t outputs() const { return groups * rows; }
  [[nodiscard]] std::int64_t weights() const { return groups * rows * columns; }
};

/// An input whose product a kernel adds in 16 bits to the product of a second input of its group
/// (code_pairs.h).
struct PairedInput {
  std::int64_t partner = 0;   // the other input; without one the maxima are 0
  float maximum = 0;          // largest stored value of this input
  float partner_maximum = 0;  // largest stored value of the other input
};

/// The grid of integer weights: value = (code - zero_point) * scale. There is one entry per output
/// row; all rows of a per-tensor layer have equal entries.
struct WeightGrid {
  std::vector<float> scales;              // [outputs]
  std::vector<std::int32_t> zero_points;  // [outputs]
  IntegerLimits limits;                   // codes are in [low, high]
  bool per_tensor = true;                 // all rows must keep one common scale and zero point
  ScaleFreedom freedom = ScaleFreedom::any;
  std::vector<PairedInput> pairs = {};  // [groups][K]; empty: all codes in the limits are safe
};

/// The float layer and the grid in which it is stored.
struct LayerWeights {
  LayerShape shape;
  std::vector<float> values;  // [outputs][K], the float weights
  std::vector<float> bias;    // [outputs]; empty: the layer has none
  WeightGrid grid;
};

/// The result of a solver. `scales` differ from the grid's only when the solver chooses scales.
struct Solution {
  std::vector<std::int32_t> codes;  // [outputs][K]
  std::vector<float> scales;        // [outputs]
  std::vector<float> bias;          // [outputs]; empty: none
};

/// Second moments over n columns (positions of all samples) of the quantized input (xq) and the
/// float target (yf, before the activation, bias included). The squared error depends on nothing
/// else (docs/algorithms/gptq.md):
///   J(q, b) per row = q H q' - 2 q c' + f + 2 b (q mx - my) + b^2
/// where f is the mean of yf^2, mx the mean of xq and my the mean of yf.
struct Moments {
  std::int64_t count = 0;           // n
  std::vector<double> h;            // [groups][K][K], mean of xq xq'; both triangles filled
  std::vector<double> c;            // [outputs][K], mean of yf xq'
  std::vector<double> input_mean;   // [groups][K], mean of xq
  std::vector<double> output_mean;  // [outputs], mean of yf
  std::vector<double> energy;       // [outputs], mean of yf^2
};

/// The activation function after the layer. It is part of the loss, because the error of a value
/// that Relu sets to 0 does not matter.
struct Activation {
  enum class Kind { none, relu, leaky_relu, clip, sigmoid, tanh, gelu, hard_swish, hard_sigmoid };
  Kind kind = Kind::none;
  float alpha = 0;  // leaky_relu: slope; hard_sigmoid: alpha
  float beta = 0;   // hard_sigmoid: beta
  float low = 0;    // clip
  float high = 0;
};

/// The quantizer after the activation (OutputQDQ):
///   y -> (clip(rne(y / scale) + zero_point) - zero_point) * scale
struct OutputGrid {
  float scale = 1;
  std::int32_t zero_point = 0;
  IntegerLimits limits;
};

/// The columns of one or more samples.
struct Columns {
  std::int64_t count = 0;  // n
  FloatBuffer inputs;      // [groups][K][n], quantized (or mixed with float by DropRatio)
  FloatBuffer targets;     // [outputs][n], float, before the activation, bias included
};

/// The source of the batches of the gradient methods. Implementations are thread-safe for reading.
class LayerSamples {
 public:
  virtual ~LayerSamples() = default;
  [[nodiscard]] virtual std::int64_t count() const = 0;  // samples
  /// The columns of the given samples, one after the other. They are kept columns or are gathered
  /// in `own`. `seed` decides which positions of a large sample take part and, with DropRatio < 1,
  /// which inputs are quantized and which are float.
  [[nodiscard]] virtual const Columns& read(const std::vector<std::int64_t>& samples,
                                            std::uint64_t seed, Columns& own) const = 0;
};

}  // namespace quantsearch::reconstruction
