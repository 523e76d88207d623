#include "quantize/activations.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "quantize/range_rules.h"

namespace quantsearch {

namespace {

PowerOfTwoRounding rounding_of(const QuantizeOptions& options) {
  return options.power_of_two ? options.power_of_two_rounding : PowerOfTwoRounding::none;
}

TensorParams per_tensor(DataType type, const ScaleZeroPoint& values) {
  return {.type = type, .scales = {values.scale}, .zero_points = {values.zero_point}, .axis = -1};
}

/// The largest value the integers stand for, in the float32 arithmetic ONNX Runtime decides with.
float highest_value(const TensorParams& params) {
  const IntegerLimits limits = integer_limits(params.type, false);
  return static_cast<float>(limits.high - params.zero_points[0]) * params.scales[0];
}

float lowest_value(const TensorParams& params) {
  const IntegerLimits limits = integer_limits(params.type, false);
  return static_cast<float>(limits.low - params.zero_points[0]) * params.scales[0];
}

/// ONNX Runtime drops a Clip when the quantized range ends at most 0.01 above its bound; versions
/// up to 1.29 fail to load the model when it ends above the bound at all. So a scale that rounding
/// or a power of two has put into that gap is lowered: by one float, or to the next power of two.
void end_at_bound(TensorParams& params, const Bounds& bounds, PowerOfTwoRounding rounding) {
  constexpr double kTolerance = 0.02;
  const auto bound = static_cast<float>(bounds.high);
  while (params.scales[0] > 0 && highest_value(params) > bound &&
         static_cast<double>(highest_value(params)) <= bounds.high + kTolerance) {
    params.scales[0] = rounding == PowerOfTwoRounding::none ? std::nextafter(params.scales[0], 0.0F)
                                                            : params.scales[0] / 2;
  }
}

class Parameters {
 public:
  Parameters(const Graph& graph, const GraphIndex& index, const Ranges& ranges,
             const QuantizeOptions& options)
      : graph_(graph), index_(index), ranges_(ranges), options_(options) {}

  [[nodiscard]] TensorParams of(const std::string& tensor) const {
    const RangeSource source = range_source(graph_, index_, tensor);
    if (source.fixed) return from_range(*source.fixed, std::nullopt);
    const auto range = ranges_.find(source.tensor);
    if (range == ranges_.end()) {
      throw InvalidInput(fmt::format(
          "quantize: tensor '{}' has no range{}, expected one for every tensor that "
          "tensors_to_observe names",
          source.tensor, source.tensor == tensor ? "" : fmt::format(" (needed for '{}')", tensor)));
    }
    return from_range(range->second, bounds_of(graph_, index_, source.tensor));
  }

 private:
  [[nodiscard]] TensorParams from_range(Range range, const std::optional<Bounds>& bounds) const {
    const bool fits = bounds && !options_.activation_symmetric;
    // Methods that make ranges symmetric would spend half of the integers on values a Relu never
    // gives.
    if (fits)
      range = {.low = std::max(range.low, bounds->low), .high = std::min(range.high, bounds->high)};
    TensorParams params =
        per_tensor(options_.activation_type,
                   scale_for(range, options_.activation_type, options_.activation_symmetric, false,
                             rounding_of(options_)));
    if (fits) end_at_bound(params, *bounds, rounding_of(options_));
    return params;
  }

  const Graph& graph_;
  const GraphIndex& index_;
  const Ranges& ranges_;
  const QuantizeOptions& options_;
};

}  // namespace

bool makes_redundant(const TensorParams& params, const Bounds& bounds) {
  return static_cast<double>(lowest_value(params)) >= bounds.low &&
         static_cast<double>(highest_value(params)) <= bounds.high;
}

DataType constant_type(DataType activation_type) {
  return activation_type == DataType::int8 ? DataType::uint8 : activation_type;
}

TensorParams constant_params(const Tensor& constant, const QuantizeOptions& options) {
  const auto values = constant.values<float>();
  const auto [low, high] = std::ranges::minmax_element(values);
  const DataType type = constant_type(options.activation_type);
  const bool symmetric = options.activation_symmetric && type == DataType::int16;
  const Range range{.low = static_cast<double>(*low), .high = static_cast<double>(*high)};
  return per_tensor(type, scale_for(range, type, symmetric, false, rounding_of(options)));
}

Activations activation_params(const Graph& graph, const GraphIndex& index, const Plan& plan,
                              const Ranges& ranges, const QuantizeOptions& options) {
  const Parameters parameters(graph, index, ranges, options);
  Activations result;
  // Ranges lead through the same chain of layout operators as pairs do, so copies come out equal
  // without being copied.
  for (const auto& [tensor, pair] : plan.pairs) result.params[tensor] = parameters.of(tensor);
  for (const auto& [tensor, pair] : plan.pairs) {
    if (!pair.before_clamp) continue;
    const Node& clamp = graph.nodes[static_cast<std::size_t>(*pair.before_clamp)];
    const TensorParams& behind = result.params.at(clamp.outputs[0]);
    if (makes_redundant(behind, clamp_bounds(clamp, index).value_or(Bounds{}))) {
      result.folded.insert(tensor);
    } else {
      result.params.at(tensor) = behind;
    }
  }
  for (const std::string& tensor : result.folded) result.params.erase(tensor);
  return result;
}

}  // namespace quantsearch
