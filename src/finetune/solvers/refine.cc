#include "finetune/solvers/refine.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "finetune/solvers/code_pairs.h"
#include "finetune/solvers/layer_product.h"
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
  auto first = hn::Zero(tag);
  auto second = hn::Zero(tag);
  std::int64_t at = 0;
  for (; at + lanes <= count; at += lanes) {
    const auto x = hn::LoadU(tag, inputs + at);
    first = hn::MulAdd(hn::LoadU(tag, pulls + at), x, first);
    second = hn::MulAdd(hn::Mul(x, x), hn::LoadU(tag, squares + at), second);
  }
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

/// One output row: its values for all columns and the loss linearized at these values.
class Row {
 public:
  Row(const LayerWeights& layer, Solution& solution, const Columns& columns,
      const Activation& activation, double ridge, std::int64_t output, const float* outputs)
      : layer_(layer),
        columns_(columns),
        loss_{.activation = activation},
        inputs_(columns.inputs.data() +
                output / layer.shape.rows * layer.shape.columns * columns.count),
        targets_(columns.targets.data() + output * columns.count),
        pairs_(pairs_of_group(layer, output / layer.shape.rows)),
        floats_(layer.values.data() + output * layer.shape.columns),
        codes_(solution.codes.data() + output * layer.shape.columns),
        scale_(solution.scales[to_size(output)]),
        zero_point_(layer.grid.zero_points[to_size(output)]),
        bias_(solution.bias.empty() ? nullptr : &solution.bias[to_size(output)]),
        outputs_(outputs, outputs + columns.count),
        ones_(bias_ == nullptr ? 0 : to_size(columns.count), 1.0F),
        squares_(to_size(columns.count)),
        pulls_(to_size(columns.count)),
        ridge_(ridge) {
    error_ = error_at(inputs_, 0);
    linearize_here();
  }

  /// Moves one code; false when it stays unchanged.
  bool move(std::int64_t input) {
    const float* const x = inputs_ + input * columns_.count;
    double gradient = 0;
    double curvature = 0;
    for (std::int64_t at = 0; at < columns_.count; at += kRun) {
      HWY_DYNAMIC_DISPATCH(line_sums)
      (pulls_.data() + at, squares_.data() + at, x + at, std::min(kRun, columns_.count - at),
       &gradient, &curvature);
    }
    const double away = static_cast<double>(value_of(codes_[input])) - floats_[input];
    gradient += ridge_ * away;
    curvature += ridge_;
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
    double gradient = 0;
    double curvature = 0;
    for (std::size_t at = 0; at < pulls_.size(); ++at) {
      gradient += pulls_[at];
      curvature += squares_[at];
    }
    if (!(curvature > 0)) return false;
    const auto step = static_cast<float>(-gradient / curvature);
    if (!accept(ones_.data(), step, 0)) return false;
    *bias_ += step;
    return true;
  }

 private:
  [[nodiscard]] float value_of(std::int32_t code) const {
    return static_cast<float>(code - zero_point_) * scale_;
  }

  [[nodiscard]] IntegerLimits limits_of(std::int64_t input) const {
    if (pairs_.empty()) return layer_.grid.limits;
    const PairedInput& pair = pairs_[to_size(input)];
    return limits_beside(pair, codes_[pair.partner], layer_.grid.limits);
  }

  /// The error of the outputs moved by `step` along `direction`.
  [[nodiscard]] double error_at(const float* direction, float step) const {
    return moved_error(loss_, outputs_.data(), direction, step, targets_, columns_.count);
  }

  void linearize_here() {
    linearize(loss_, outputs_.data(), targets_, columns_.count, pulls_.data(), squares_.data());
  }

  /// Moves the outputs if that lowers their error plus `penalty`, the change of the ridge term.
  bool accept(const float* direction, float step, double penalty) {
    const double error = error_at(direction, step);
    if (!(error + penalty < error_)) return false;
    error_ = error;
    for (std::size_t at = 0; at < outputs_.size(); ++at) outputs_[at] += step * direction[at];
    linearize_here();
    return true;
  }

  const LayerWeights& layer_;
  const Columns& columns_;
  OutputLoss loss_;
  const float* inputs_;                 // [K][n]
  const float* targets_;                // [n]
  std::span<const PairedInput> pairs_;  // [K]; empty: all codes are safe
  const float* floats_;                 // [K]
  std::int32_t* codes_;                 // [K]
  float scale_;
  std::int32_t zero_point_;
  float* bias_;  // null: the layer has none
  std::vector<float> outputs_;
  std::vector<float> ones_;  // direction of the bias
  std::vector<float> squares_;
  std::vector<float> pulls_;
  double ridge_;
  double error_ = 0;
};

/// The outputs of a block before the activation, [count][n].
std::vector<float> outputs_of(const LayerShape& shape, const std::vector<float>& values,
                              const std::vector<float>& bias, const Columns& columns,
                              const OutputBlock& block) {
  std::vector<float> outputs(to_size(block.count * columns.count));
  block_outputs(shape, block, values.data() + block.first * shape.columns,
                bias.empty() ? nullptr : bias.data() + block.first, columns, outputs.data());
  return outputs;
}

/// The sum of x^2 over a group's columns, averaged over its inputs.
double mean_energy(const LayerShape& shape, const Columns& columns, std::int64_t group) {
  const std::int64_t count = shape.columns * columns.count;
  const float* const inputs = columns.inputs.data() + group * count;
  double sum = 0;
  double unused = 0;
  for (std::int64_t at = 0; at < count; at += kRun) {
    HWY_DYNAMIC_DISPATCH(line_sums)
    (inputs + at, inputs + at, inputs + at, std::min(kRun, count - at), &sum, &unused);
  }
  return sum / static_cast<double>(shape.columns);
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
  const std::vector<OutputBlock> blocks = output_blocks(layer.shape);
  pool.parallel_for(
      static_cast<std::int64_t>(blocks.size()),
      [&](std::int64_t index, int) {
        const OutputBlock& block = blocks[to_size(index)];
        const std::vector<float> outputs =
            outputs_of(layer.shape, values, start.bias, columns, block);
        std::vector<Row> rows;
        for (std::int64_t row = 0; row < block.count; ++row) {
          const std::int64_t output = block.first + row;
          rows.emplace_back(layer, start, columns, options.activation,
                            ridges[to_size(output / layer.shape.rows)], output,
                            outputs.data() + row * columns.count);
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
  pool.parallel_for(static_cast<std::int64_t>(blocks.size()), [&](std::int64_t index, int) {
    const OutputBlock& block = blocks[to_size(index)];
    const std::vector<float> outputs = outputs_of(shape, values, solution.bias, columns, block);
    sums[to_size(index)] = error_sums({.activation = activation}, outputs.data(),
                                      columns.targets.data() + block.first * columns.count,
                                      block.count * columns.count);
  });
  return relative_error(sums);
}

}  // namespace quantsearch::reconstruction
#endif  // HWY_ONCE
