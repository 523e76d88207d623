#pragma once

// One layer seen as a matrix product: what the solvers work on. Nothing here knows of ONNX: the
// engine turns convolutions (im2col), transposed convolutions, Gemm and MatMul into it, and writes
// the result back.
//
// Group g maps its K inputs to its R rows: y[g*R + r] = sum_k w[g*R + r][k] * x[g][k] + b[g*R + r].
// An ordinary layer has one group; a depthwise convolution has as many groups as channels, each
// with one row.

#include <cstdint>
#include <optional>
#include <vector>

#include "finetune/float_buffer.h"
#include "quantsearch/quantize.h"

namespace quantsearch::reconstruction {

struct LayerShape {
  std::int64_t groups = 1;
  std::int64_t rows = 0;     // R, per group
  std::int64_t columns = 0;  // K, per group

  [[nodiscard]] std::int64_t outputs() const { return groups * rows; }
  [[nodiscard]] std::int64_t weights() const { return groups * rows * columns; }
};

/// An input whose product a kernel adds, in 16 bits, to that of a second input of its group
/// (code_pairs.h).
struct PairedInput {
  std::int64_t partner = 0;   // the other input; without one the maxima are 0
  float maximum = 0;          // largest stored value of this input
  float partner_maximum = 0;  // and of the other
};

/// The grid of integer weights: value = (code - zero_point) * scale. One entry per output row; a
/// per-tensor layer holds the same entry for each.
struct WeightGrid {
  std::vector<float> scales;              // [outputs]
  std::vector<std::int32_t> zero_points;  // [outputs]
  IntegerLimits limits;                   // codes are in [low, high]
  bool per_tensor = true;                 // all rows keep one common scale and zero point
  ScaleFreedom freedom = ScaleFreedom::any;
  std::vector<PairedInput> pairs = {};  // [groups][K]; empty: all codes in the limits are safe
};

/// The layer in float and how it may be written.
struct LayerWeights {
  LayerShape shape;
  std::vector<float> values;  // [outputs][K], the float weights
  std::vector<float> bias;    // [outputs]; empty: the layer has none
  WeightGrid grid;
};

/// What a solver returns. `scales` differ from the grid's only where a solver chooses scales.
struct Solution {
  std::vector<std::int32_t> codes;  // [outputs][K]
  std::vector<float> scales;        // [outputs]
  std::vector<float> bias;          // [outputs]; empty when the layer has none and none was made
};

/// Second moments over n columns (positions of all samples), the input quantized (xq), the target
/// float (yf, before the activation, bias included). Everything the squared error depends on
/// (ptq_methods 2.1):
///   J(q, b) per row = q H q' - 2 q c' + f + 2 b (q mx - my) + b^2,  with f the mean of yf^2.
struct Moments {
  std::int64_t count = 0;           // n
  std::vector<double> h;            // [groups][K][K], mean of xq xq'; both triangles filled
  std::vector<double> c;            // [outputs][K], mean of yf xq'
  std::vector<double> input_mean;   // [groups][K], mean of xq
  std::vector<double> output_mean;  // [outputs], mean of yf
  std::vector<double> energy;       // [outputs], mean of yf^2
};

/// The activation behind the layer, part of the loss: it does not matter how wrong a value is that
/// Relu cuts off.
struct Activation {
  enum class Kind { none, relu, leaky_relu, clip, sigmoid, tanh, gelu, hard_swish, hard_sigmoid };
  Kind kind = Kind::none;
  float alpha = 0;  // leaky_relu: slope; hard_sigmoid: alpha
  float beta = 0;   // hard_sigmoid: beta
  float low = 0;    // clip
  float high = 0;
};

/// The quantizer behind activation (OutputQDQ): y -> (clip(rne(y / scale) + zero_point) -
/// zero_point) * scale.
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

/// Where the gradient methods get their batches from. Implementations are thread-safe for reading.
class LayerSamples {
 public:
  virtual ~LayerSamples() = default;
  [[nodiscard]] virtual std::int64_t count() const = 0;  // samples
  /// The columns of the given samples, one after the other: those that are kept, or made in `own`.
  /// `seed` decides which positions of a large sample take part and, with DropRatio < 1, which
  /// inputs are quantized and which float.
  [[nodiscard]] virtual const Columns& read(const std::vector<std::int64_t>& samples,
                                            std::uint64_t seed, Columns& own) const = 0;
};

}  // namespace quantsearch::reconstruction
