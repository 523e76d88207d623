#include "finetune/solvers/refine.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "finetune/solvers/code_pairs.h"
#include "finetune/solvers/layer_product.h"
#include "finetune/solvers/linear_algebra.h"
#include "finetune/solvers/moments.h"
#include "quantsearch/internal/base/sizes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "finetune/solvers/refine.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace quantsearch::reconstruction::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Adds sums over columns: gradient += e m x and curvature += m^2 x^2, where `pulls` is e m and
/// `squares` is m^2.
void line_sums(const float* pulls, const float* squares, const float* inputs, std::int64_t count,
               double* gradient, double* curvature) {
  const hn::ScalableTag<float> tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  // Several independent sums hide the latency of the additions.
  constexpr std::int64_t kSums = 4;
  auto first0 = hn::Zero(tag), first1 = first0, first2 = first0, first3 = first0;
  auto second0 = first0, second1 = first0, second2 = first0, second3 = first0;
  const auto add = [&](std::int64_t column, auto& first, auto& second) HWY_ATTR {
    const auto x = hn::LoadU(tag, inputs + column);
    first = hn::MulAdd(hn::LoadU(tag, pulls + column), x, first);
    second = hn::MulAdd(hn::Mul(x, x), hn::LoadU(tag, squares + column), second);
  };
  std::int64_t at = 0;
  for (; at + kSums * lanes <= count; at += kSums * lanes) {
    add(at, first0, second0);
    add(at + lanes, first1, second1);
    add(at + 2 * lanes, first2, second2);
    add(at + 3 * lanes, first3, second3);
  }
  for (; at + lanes <= count; at += lanes) add(at, first0, second0);
  const auto first = hn::Add(hn::Add(first0, first1), hn::Add(first2, first3));
  const auto second = hn::Add(hn::Add(second0, second1), hn::Add(second2, second3));
  double sums[2] = {hn::GetLane(hn::SumOfLanes(tag, first)),
                    hn::GetLane(hn::SumOfLanes(tag, second))};
  for (; at < count; ++at) {
    sums[0] += static_cast<double>(pulls[at]) * inputs[at];
    sums[1] += static_cast<double>(squares[at]) * inputs[at] * inputs[at];
  }
  *gradient += sums[0];
  *curvature += sums[1];
}

}  // namespace quantsearch::reconstruction::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch::reconstruction {

HWY_EXPORT(line_sums);

namespace {

/// Columns summed in float before they are added to a double sum.
constexpr std::int64_t kRun = 2048;

/// Adds the sums of line_sums over all columns.
struct LineSums {
  double gradient = 0;
  double curvature = 0;

  LineSums(const float* pulls, const float* squares, const float* inputs, std::int64_t count) {
    for (std::int64_t at = 0; at < count; at += kRun) {
      HWY_DYNAMIC_DISPATCH(line_sums)
      (pulls + at, squares + at, inputs + at, std::min(kRun, count - at), &gradient, &curvature);
    }
  }
};

/// What the rows of a layer have in common.
struct RefinedLayer {
  const LayerWeights& weights;
  Solution& solution;
  const Columns& columns;
  OutputLoss loss;
  std::vector<float> ones;  // [n]: the direction of the bias
};

/// One output row: its values for all columns and the loss linearized at these values.
class Row {
 public:
  /// `state` has the outputs. `spare` is used by all rows of a block, one after the other.
  Row(RefinedLayer& layer, std::int64_t output, double ridge, const LinearizedOutputs& state,
      LinearizedOutputs& spare)
      : layer_(layer),
        count_(layer.columns.count),
        inputs_(layer.columns.inputs.data() +
                output / layer.weights.shape.rows * layer.weights.shape.columns * count_),
        targets_(layer.columns.targets.data() + output * count_),
        pairs_(pairs_of_group(layer.weights, output / layer.weights.shape.rows)),
        floats_(layer.weights.values.data() + output * layer.weights.shape.columns),
        codes_(layer.solution.codes.data() + output * layer.weights.shape.columns),
        scale_(layer.solution.scales[to_size(output)]),
        zero_point_(layer.weights.grid.zero_points[to_size(output)]),
        bias_(layer.solution.bias.empty() ? nullptr : &layer.solution.bias[to_size(output)]),
        state_(state),
        spare_(spare),
        ridge_(ridge),
        error_(move_and_linearize(layer.loss, state.outputs, inputs_, 0, targets_, count_, state)) {
  }

  /// Moves one code; false when it stays unchanged.
  bool move(std::int64_t input) {
    const float* const x = inputs_ + input * count_;
    const LineSums sums(state_.pulls, state_.squares, x, count_);
    const double away = static_cast<double>(value_of(codes_[input])) - floats_[input];
    const double gradient = sums.gradient + ridge_ * away;
    const double curvature = sums.curvature + ridge_;
    if (!(curvature > 0) || !std::isfinite(gradient)) return false;
    const double wanted = codes_[input] - gradient / (curvature * scale_);
    const IntegerLimits limits = limits_of(input);
    const double nearest = std::clamp(std::nearbyint(wanted), static_cast<double>(limits.low),
                                      static_cast<double>(limits.high));
    const auto code = static_cast<std::int32_t>(nearest);
    if (code == codes_[input]) return false;
    const float step = value_of(code) - value_of(codes_[input]);
    if (!accept(x, step, ridge_ * step * (2 * away + step))) return false;
    codes_[input] = code;
    return true;
  }

  /// Moves the bias; false when it stays unchanged or there is none.
  bool move_bias() {
    if (bias_ == nullptr) return false;
    const float* const ones = layer_.ones.data();
    const LineSums sums(state_.pulls, state_.squares, ones, count_);
    if (!(sums.curvature > 0)) return false;
    const auto step = static_cast<float>(-sums.gradient / sums.curvature);
    if (!accept(ones, step, 0)) return false;
    *bias_ += step;
    return true;
  }

 private:
  [[nodiscard]] float value_of(std::int32_t code) const {
    return static_cast<float>(code - zero_point_) * scale_;
  }

  [[nodiscard]] IntegerLimits limits_of(std::int64_t input) const {
    const IntegerLimits& limits = layer_.weights.grid.limits;
    if (pairs_.empty()) return limits;
    const PairedInput& pair = pairs_[to_size(input)];
    return limits_beside(pair, codes_[pair.partner], limits);
  }

  /// Moves the outputs if that lowers their error plus `penalty`, the change of the ridge term.
  /// Nearly every move that is tried is accepted, so its terms are computed with its error.
  bool accept(const float* direction, float step, double penalty) {
    const double error =
        move_and_linearize(layer_.loss, state_.outputs, direction, step, targets_, count_, spare_);
    if (!(error + penalty < error_)) return false;
    error_ = error;
    std::swap(state_, spare_);
    return true;
  }

  const RefinedLayer& layer_;
  std::int64_t count_;
  const float* inputs_;                 // [K][n]
  const float* targets_;                // [n]
  std::span<const PairedInput> pairs_;  // [K]; empty: all codes are safe
  const float* floats_;                 // [K]
  std::int32_t* codes_;                 // [K]
  float scale_;
  std::int32_t zero_point_;
  float* bias_;  // null: the layer has none
  LinearizedOutputs state_;
  LinearizedOutputs& spare_;
  double ridge_;
  double error_;
};

/// Writes the outputs of a block, [count][n].
void outputs_before_activation(const LayerShape& shape, const std::vector<float>& values,
                               const std::vector<float>& bias, const Columns& columns,
                               const OutputBlock& block, float* outputs) {
  block_outputs(shape, block, values.data() + block.first * shape.columns,
                bias.empty() ? nullptr : bias.data() + block.first, columns, outputs);
}

/// The sum of x^2 over a group's columns, averaged over its inputs.
double mean_energy(const LayerShape& shape, const Columns& columns, std::int64_t group) {
  const std::size_t count = to_size(shape.columns * columns.count);
  const auto inputs = std::span(columns.inputs).subspan(to_size(group) * count, count);
  return sum_up(inputs).squares / static_cast<double>(shape.columns);
}

/// Runs the passes over the rows of a block. For each input all rows are visited, so that the
/// values of the input stay in the cache.
void descend(std::vector<Row>& rows, std::int64_t inputs, int passes) {
  for (int pass = 0; pass < passes; ++pass) {
    bool has_moved = false;
    for (Row& row : rows) has_moved = row.move_bias() || has_moved;
    for (std::int64_t input = inputs; input-- > 0;) {
      for (Row& row : rows) has_moved = row.move(input) || has_moved;
    }
    if (!has_moved) return;
  }
  for (Row& row : rows) (void)row.move_bias();
}

}  // namespace

Solution refine(const LayerWeights& layer, Solution start, const Columns& columns,
                const RefineOptions& options, ThreadPool& pool, const CancellationToken& token) {
  std::vector<double> ridges(to_size(layer.shape.groups));
  pool.parallel_for(layer.shape.groups, [&](std::int64_t group, int) {
    ridges[to_size(group)] = options.ridge * mean_energy(layer.shape, columns, group);
  });
  const std::vector<float> values = dequantized(layer, start);
  RefinedLayer refined{.weights = layer,
                       .solution = start,
                       .columns = columns,
                       .loss = {.activation = options.activation},
                       .ones = std::vector<float>(to_size(columns.count), 1.0F)};
  const std::vector<OutputBlock> blocks = output_blocks(layer.shape);
  std::vector<FloatBuffer> buffers(to_size(pool.threads()));
  pool.parallel_for(
      static_cast<std::int64_t>(blocks.size()),
      [&](std::int64_t index, int worker) {
        const OutputBlock& block = blocks[to_size(index)];
        const std::int64_t n = columns.count;
        FloatBuffer& buffer = buffers[to_size(worker)];
        buffer.resize(std::max(buffer.size(), to_size(3 * (block.count + 1) * n)));
        const auto state_of = [&](std::int64_t row) {
          // The outputs of all rows come first, because one product computes them.
          float* const terms = buffer.data() + (block.count + 2 * row) * n;
          return LinearizedOutputs{buffer.data() + row * n, terms, terms + n};
        };
        outputs_before_activation(layer.shape, values, start.bias, columns, block, buffer.data());
        float* const last = buffer.data() + 3 * block.count * n;
        LinearizedOutputs spare{last, last + n, last + 2 * n};
        std::vector<Row> rows;
        rows.reserve(to_size(block.count));
        for (std::int64_t row = 0; row < block.count; ++row) {
          const std::int64_t output = block.first + row;
          rows.emplace_back(refined, output, ridges[to_size(output / layer.shape.rows)],
                            state_of(row), spare);
        }
        descend(rows, layer.shape.columns, options.passes);
      },
      token);
  return start;
}

double error_after_activation(const LayerWeights& layer, const Solution& solution,
                              const Columns& columns, const Activation& activation,
                              ThreadPool& pool) {
  const LayerShape& shape = layer.shape;
  const std::vector<float> values = dequantized(layer, solution);
  const std::vector<OutputBlock> blocks = output_blocks(shape);
  std::vector<ErrorSums> sums(blocks.size());
  std::vector<FloatBuffer> buffers(to_size(pool.threads()));
  pool.parallel_for(static_cast<std::int64_t>(blocks.size()), [&](std::int64_t index, int worker) {
    const OutputBlock& block = blocks[to_size(index)];
    FloatBuffer& outputs = buffers[to_size(worker)];
    outputs.resize(std::max(outputs.size(), to_size(block.count * columns.count)));
    outputs_before_activation(shape, values, solution.bias, columns, block, outputs.data());
    sums[to_size(index)] = error_sums({.activation = activation}, outputs.data(),
                                      columns.targets.data() + block.first * columns.count,
                                      block.count * columns.count);
  });
  return relative_error(sums);
}

}  // namespace quantsearch::reconstruction
#endif  // HWY_ONCE
