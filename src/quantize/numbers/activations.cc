#include "quantize/numbers/activations.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/numbers/alignment.h"
#include "quantize/numbers/overrides.h"
#include "quantize/placement/least_steps.h"
#include "quantize/placement/passthrough.h"
#include "quantize/placement/range_rules.h"
#include "quantize/placement/tensor_overrides.h"
#include "quantize/placement/value_bounds.h"

namespace quantsearch {

namespace {

TensorParams per_tensor(DataType type, const ScaleZeroPoint& values) {
  return {.type = type, .scales = {values.scale}, .zero_points = {values.zero_point}, .axis = -1};
}

/// The largest value that the integers represent, in float32 as ONNX Runtime computes it for its
/// decisions.
float highest_value(const TensorParams& params) {
  const IntegerLimits limits = integer_limits(params.type, false);
  return static_cast<float>(limits.high - params.zero_points[0]) * params.scales[0];
}

float lowest_value(const TensorParams& params) {
  const IntegerLimits limits = integer_limits(params.type, false);
  return static_cast<float>(limits.low - params.zero_points[0]) * params.scales[0];
}

float next_lower(float scale, PowerOfTwoRounding rounding) {
  switch (rounding) {
    case PowerOfTwoRounding::none:
      return std::nextafter(scale, 0.0F);
    case PowerOfTwoRounding::nearest:
    case PowerOfTwoRounding::up:
      return scale / 2;
    case PowerOfTwoRounding::int16_ratio:  // M is reduced by 1
      return scale - std::ldexp(1.0F, std::ilogb(scale) - 14);
  }
  throw InternalError("quantize: unknown rounding of scales");
}

Range range_of_values(const Tensor& constant) {
  const auto values = constant.values<float>();
  const auto [low, high] = std::ranges::minmax_element(values);
  return {.low = static_cast<double>(*low), .high = static_cast<double>(*high)};
}

class Parameters {
 public:
  Parameters(const PlanView& view, const RangesByType& ranges) : view_(view), ranges_(ranges) {}

  [[nodiscard]] TensorParams of(const std::string& tensor, DataType type) const {
    const auto found = activation_override(view_, view_.options, tensor);
    if (found) return overridden(found->tensor, type, found->wanted);
    const RangeSource source = source_of(tensor, type);
    return from_range(range_of(tensor, type, source), type, bounds_of(source));
  }

  /// The span of the tensor's own values, independent of how the options change its range; nullopt
  /// when it is not known.
  [[nodiscard]] std::optional<double> span_of(const std::string& tensor) const {
    if (const Tensor* constant = view_.index.initializer(tensor)) {
      const bool has_values = constant->type() == DataType::float32 && constant->size() > 0;
      return has_values ? std::optional(span_with_zero(range_of_values(*constant))) : std::nullopt;
    }
    const auto part = nearest_part(tensor, [](const std::string&) { return true; });
    const RangeSource source =
        part ? RangeSource{.tensor = *part, .fixed = std::nullopt} : range_source(view_, tensor);
    if (source.fixed) return span_with_zero(*source.fixed);
    const Ranges& ranges = ranges_of(view_.options.activation_type);
    const auto range = ranges.find(source.tensor);
    if (range == ranges.end()) return std::nullopt;
    const auto bounds = bounds_of(source);
    return span_with_zero(bounds ? within(range->second, *bounds) : range->second);
  }

  /// True for a tensor whose operator is listed in CalibPassthroughOpTypes and whose own values
  /// would have too few steps in the range of its inputs.
  [[nodiscard]] bool keeps_own_range(const std::string& tensor) const {
    const auto passed =
        passed_range(view_.options.activation_type, {.tensor = tensor, .fixed = std::nullopt});
    return passed && is_too_wide(*passed, tensor);
  }

 private:
  /// True when the range `passed`, in the type of activations, leaves the tensor too few steps of
  /// its own range.
  [[nodiscard]] bool is_too_wide(const Range& passed, const std::string& tensor) const {
    const auto own = ranges_of(view_.options.activation_type).find(tensor);
    if (own == ranges_of(view_.options.activation_type).end()) return false;
    const double own_span = span_with_zero(own->second);
    const double steps = std::ldexp(1.0, bits_of(view_.options.activation_type)) - 1;
    return own_span > 0 && steps * own_span < kLeastSteps * span_with_zero(passed);
  }

  [[nodiscard]] static double span_with_zero(const Range& range) {
    return std::max(range.high, 0.0) - std::min(range.low, 0.0);
  }

  /// The first tensor for which is_part_of_union() and `counts` are true, starting at `tensor` and
  /// going backwards through data movement.
  template <typename Counts>
  [[nodiscard]] std::optional<std::string> nearest_part(const std::string& tensor,
                                                        const Counts& counts) const {
    for (std::optional<std::string> at = tensor; at; at = moved_from(view_, *at)) {
      if (is_part_of_union(view_, *at) && counts(*at)) return at;
    }
    return std::nullopt;
  }

  /// Where the range of `tensor` comes from. When data movement stays float, the values that it
  /// selects have a range of their own, which is used where it is known.
  [[nodiscard]] RangeSource source_of(const std::string& tensor, DataType type) const {
    const auto part = nearest_part(tensor, [&](const std::string& at) {
      return !view_.planned(*view_.index.producer(at)).quantized && ranges_of(type).contains(at);
    });
    return part ? RangeSource{.tensor = *part, .fixed = std::nullopt} : range_source(view_, tensor);
  }

  [[nodiscard]] const Ranges& ranges_of(DataType type) const {
    const auto found = ranges_.find(type);
    if (found != ranges_.end()) return found->second;
    throw InvalidInput(fmt::format(
        "quantize: there are no ranges for {} activations, expected some for every type in use",
        to_string(type)));
  }

  [[nodiscard]] Range range_of(const std::string& tensor, DataType type,
                               const RangeSource& source) const {
    if (const auto range = find_range(type, source)) return *range;
    throw InvalidInput(fmt::format(
        "quantize: tensor '{}' has no range{}, expected one for every tensor that a node reads as "
        "integers; give calibration data in which it holds values",
        source.tensor, source.tensor == tensor ? "" : fmt::format(" (needed for '{}')", tensor)));
  }

  [[nodiscard]] std::optional<Range> find_range(DataType type, const RangeSource& source) const {
    if (source.fixed) return source.fixed;
    // passed_range() is called once here, because a second call would double the time for each
    // operator of a chain.
    if (const auto passed = passed_range(type, source)) {
      const bool is_own = type == view_.options.activation_type
                              ? is_too_wide(*passed, source.tensor)
                              : keeps_own_range(source.tensor);
      if (!is_own) return passed;
    }
    const ObservedRange observed = [&ranges = ranges_of(type)](const std::string& tensor) {
      const auto range = ranges.find(tensor);
      return range == ranges.end() ? std::nullopt : std::optional(range->second);
    };
    const auto fact = view_.options.facts.find(source.tensor);
    const bool is_empty = fact != view_.options.facts.end() && fact->second.is_empty;
    return is_empty ? value_bounds(view_, source.tensor, observed) : observed(source.tensor);
  }

  /// The range of all inputs that the operator of the tensor passes on; nullopt when it passes on
  /// none, or when an input has no finite range, because an operator that stays float anyway may
  /// read infinite values.
  [[nodiscard]] std::optional<Range> passed_range(DataType type, const RangeSource& source) const {
    std::vector<Range> passed;
    for (const std::string& input : passed_inputs(view_, view_.options, source.tensor)) {
      const Tensor* constant = view_.index.initializer(input);
      const std::optional<Range> range = constant != nullptr
                                             ? std::optional(range_of_values(*constant))
                                             : find_range(type, source_of(input, type));
      if (!range || !std::isfinite(range->low) || !std::isfinite(range->high)) return std::nullopt;
      passed.push_back(*range);
    }
    return passed.empty() ? std::nullopt : std::optional(union_of(passed));
  }

  [[nodiscard]] std::optional<Bounds> bounds_of(const RangeSource& source) const {
    if (source.fixed) return std::nullopt;
    return quantsearch::bounds_of(view_, source.tensor);
  }

  [[nodiscard]] static Range within(const Range& range, const Bounds& bounds) {
    return {.low = std::max(range.low, bounds.low), .high = std::min(range.high, bounds.high)};
  }

  [[nodiscard]] TensorParams from_range(Range range, DataType type,
                                        const std::optional<Bounds>& bounds) const {
    const bool fits = bounds && !view_.options.activation_symmetric;
    // Methods that make ranges symmetric would use half of the integers for values that a Relu
    // never outputs.
    if (fits) range = within(range, *bounds);
    TensorParams params =
        per_tensor(type, scale_for(range, type, view_.options.activation_symmetric, false,
                                   scale_rounding(view_.options)));
    if (fits) end_at_bound(params, *bounds, scale_rounding(view_.options));
    return params;
  }

  /// The parameters of a tensor with an override. A range chosen for the type and symmetry of this
  /// tensor is stored under its own name.
  [[nodiscard]] TensorParams overridden(const std::string& tensor, DataType type,
                                        const TensorOverride& wanted) const {
    const RangeSource source = range_source(view_, tensor);
    const DataType from = ranges_.contains(type) ? type : view_.options.activation_type;
    const auto own = ranges_of(from).find(tensor);
    Range range = own != ranges_of(from).end() ? own->second : range_of(tensor, from, source);
    const bool symmetric = wanted.symmetric.value_or(view_.options.activation_symmetric);
    const std::optional<Bounds> bounds = symmetric ? std::nullopt : bounds_of(source);
    if (bounds) range = within(range, *bounds);
    TensorParams params = overridden_params(wanted, {.type = type,
                                                     .symmetric = symmetric,
                                                     .reduce_range = false,
                                                     .rounding = scale_rounding(view_.options),
                                                     .axis = -1,
                                                     .ranges = {range}});
    const float asked = params.scales[0];
    if (bounds) end_at_bound(params, *bounds, scale_rounding(view_.options));
    if (gives_params(wanted) && params.scales[0] != asked) {
      throw InvalidInput(fmt::format(
          "quantize: TensorQuantOverrides of '{}': key 'scale' is {}, which ends the range less "
          "than 0.02 above the bound {} of the operator that makes it, and ONNX Runtime cannot "
          "load such a model; expected at most {}",
          tensor, asked, bounds->high, params.scales[0]));
    }
    return params;
  }

  const PlanView& view_;
  const RangesByType& ranges_;
};

double squared_error(const Tensor& constant, const IntegerLimits& limits, double scale,
                     double zero_point) {
  double sum = 0;
  for (const float value : constant.values<float>()) {
    const double integer =
        std::clamp(std::nearbyint(static_cast<double>(value) / scale) + zero_point,
                   static_cast<double>(limits.low), static_cast<double>(limits.high));
    const double error = static_cast<double>(value) - (integer - zero_point) * scale;
    sum += error * error;
  }
  return sum;
}

/// The power of two around the scale of the range with the least squared error, the finest of equal
/// ones. A power of two below the exact scale clips, and one above it is up to twice as coarse. The
/// values are known, as those of a weight are, so the errors can be compared: 640 in a uint8 is
/// 160 * 4, not 255 * 2.
ScaleZeroPoint closest_position(const Tensor& constant, DataType type,
                                const ScaleZeroPoint& rounded) {
  const IntegerLimits limits = integer_limits(type, false);
  ScaleZeroPoint best = rounded;
  double least = std::numeric_limits<double>::infinity();
  for (const int position : {-1, 0, 1}) {
    const float scale = std::ldexp(rounded.scale, position);
    const double error = squared_error(constant, limits, static_cast<double>(scale),
                                       static_cast<double>(rounded.zero_point));
    if (!(error < least)) continue;
    least = error;
    best.scale = scale;
  }
  return best;
}

/// The type of a constant operand. An NPU computes with the types in the file.
DataType operand_type(DataType activation_type, const QuantizeOptions& options) {
  return options.npu.enabled ? activation_type : constant_type(activation_type);
}

void look_at_spans(const PlanView& view, const Parameters& parameters, int node,
                   Activations& activations) {
  const Node& at = view.node(node);
  const NodePlan& planned = view.planned(node);
  if (planned.rule == nullptr) return;
  for (const auto* tensors : {&at.inputs, &at.outputs}) {
    for (const std::string& tensor : *tensors) {
      if (tensor.empty() || activations.spans.contains(tensor)) continue;
      if (const auto span = parameters.span_of(tensor)) activations.spans.emplace(tensor, *span);
    }
  }
  if (planned.quantized && parameters.keeps_own_range(at.outputs[0])) {
    activations.notes.emplace(
        node, fmt::format("its output '{}' keeps its own range, because that of its inputs "
                          "(CalibPassthroughOpTypes) would leave it fewer than 16 steps",
                          at.outputs[0]));
  }
}

bool constant_is_symmetric(DataType type, const QuantizeOptions& options) {
  return options.activation_symmetric && (type == DataType::int16 || options.npu.enabled);
}

}  // namespace

// ONNX Runtime removes a Clip when the quantized range ends at most 0.01 above its bound, but
// versions up to 1.29 then fail to load the model if the range ends above the bound at all.
// Therefore a scale that rounding or a power of two has put into that gap is lowered to the next
// one of its form.
void end_at_bound(TensorParams& params, const Bounds& bounds, PowerOfTwoRounding rounding) {
  constexpr double kTolerance = 0.02;
  const auto bound = static_cast<float>(bounds.high);
  while (params.scales[0] > 0 && highest_value(params) > bound &&
         static_cast<double>(highest_value(params)) <= bounds.high + kTolerance) {
    params.scales[0] = next_lower(params.scales[0], rounding);
  }
}

bool makes_redundant(const TensorParams& params, const Bounds& bounds) {
  return static_cast<double>(lowest_value(params)) >= bounds.low &&
         static_cast<double>(highest_value(params)) <= bounds.high;
}

TensorParams constant_params(const std::string& name, const Tensor& constant,
                             DataType activation_type, const QuantizeOptions& options) {
  const TensorOverride* wanted = find_override(options, name);
  if (wanted == nullptr) return constant_params(constant, activation_type, options);
  const DataType type = wanted->type.value_or(operand_type(activation_type, options));
  return overridden_params(*wanted, {.type = type,
                                     .symmetric = constant_is_symmetric(type, options),
                                     .reduce_range = false,
                                     .rounding = scale_rounding(options),
                                     .axis = -1,
                                     .ranges = {range_of_values(constant)}});
}

const TensorParams* Activations::find(std::string_view tensor, DataType type) const {
  const auto widest = params.find(tensor);
  if (widest == params.end()) return nullptr;
  const auto others = narrower.find(tensor);
  if (others == narrower.end() || widest->second.type == type) return &widest->second;
  const auto found = std::ranges::find(others->second, type, &TensorParams::type);
  return found == others->second.end() ? nullptr : &*found;
}

DataType constant_type(DataType activation_type) {
  return activation_type == DataType::int8 ? DataType::uint8 : activation_type;
}

TensorParams constant_params(const Tensor& constant, DataType activation_type,
                             const QuantizeOptions& options) {
  const DataType type = operand_type(activation_type, options);
  const ScaleZeroPoint rounded =
      scale_for(range_of_values(constant), type, constant_is_symmetric(type, options), false,
                scale_rounding(options));
  return per_tensor(type,
                    options.power_of_two ? closest_position(constant, type, rounded) : rounded);
}

Activations own_params(const PlanView& view, const RangesByType& ranges) {
  const Parameters parameters(view, ranges);
  Activations result;
  // Ranges follow the same chain of layout operators as pairs do, so tensors that share parameters
  // get equal ones without copying.
  for (const auto& [tensor, pair] : view.plan.pairs) {
    result.params[tensor] = parameters.of(tensor, pair.types.front());
    for (std::size_t other = 1; other < pair.types.size(); ++other) {
      result.narrower[tensor].push_back(parameters.of(tensor, pair.types[other]));
    }
  }
  for (int node = 0; node < view.node_count(); ++node)
    look_at_spans(view, parameters, node, result);
  return result;
}

void settle_params(const PlanView& view, Activations& result) {
  if (!view.options.npu.enabled) align_parameters(view, result);
  for (const auto& [tensor, pair] : view.plan.pairs) {
    if (!pair.before_clamp) continue;
    const Node& clamp = view.node(*pair.before_clamp);
    const TensorParams& behind = result.params.at(clamp.outputs[0]);
    // An NPU clamps a result before it writes it. A producer does not stay on integers when the
    // clamp after it is read in several types.
    if (view.options.npu.enabled || result.narrower.contains(clamp.outputs[0]) ||
        makes_redundant(behind, clamp_bounds(clamp, view.index).value_or(Bounds{}))) {
      result.folded.insert(tensor);
    } else {
      result.params.at(tensor) = behind;
    }
  }
  for (const std::string& tensor : result.folded) result.params.erase(tensor);
}

}  // namespace quantsearch
