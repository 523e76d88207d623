#include "quantize/numbers/overrides.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "quantize/numbers/layer_scales.h"
#include "quantize/placement/range_rules.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

enum class Role { activation, weight, bias, constant };

/// The role of a tensor for the quantized nodes.
struct Place {
  Role role = Role::activation;
  int axis = -1;  // of the channels; -1: a scale per channel is not possible
  std::int64_t channels = 1;
  DataType type = DataType::undefined;  // without an override
};

class Places {
 public:
  explicit Places(const PlanView& view) : view_(view) {
    for (const auto& [tensor, pair] : view.plan.pairs) {
      if (!pair.before_clamp) places_[tensor] = {.type = pair.types.front()};
    }
    for (int node = 0; node < view.node_count(); ++node) {
      if (view.planned(node).quantized) add_constants(node);
    }
  }

  /// Null when no quantized node reads or writes the tensor.
  [[nodiscard]] const Place* find(const std::string& tensor) const {
    const auto found = places_.find(tensor);
    return found == places_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [tensor, place] : places_) names.push_back(tensor);
    return names;
  }

 private:
  void add_constants(int at) {
    const Node& node = view_.node(at);
    const NodePlan& plan = view_.planned(at);
    if (plan.biased_matmul || plan.follows) return;
    if (plan.reads_table) {
      places_[node.inputs[0]] = {
          .role = Role::weight, .axis = -1, .channels = 1, .type = plan.weight};
      return;
    }
    if (has_weight(plan.rule->kind)) {
      if (const Tensor* weight = view_.index.initializer(node.inputs[1]))
        add_layer(node, plan, *weight);
    }
    for (const std::size_t input : data_inputs(node, *plan.rule, view_.index)) {
      const Tensor* constant = view_.index.initializer(node.inputs[input]);
      if (constant == nullptr || constant->type() != DataType::float32) continue;
      places_[node.inputs[input]] = {
          .role = Role::constant, .axis = -1, .channels = 1, .type = plan.activation};
    }
  }

  void add_layer(const Node& node, const NodePlan& plan, const Tensor& weight) {
    const int axis = channel_axis(node, weight);
    const std::int64_t channels = axis < 0 ? 1 : weight.shape()[static_cast<std::size_t>(axis)];
    places_[node.inputs[1]] = {
        .role = Role::weight, .axis = axis, .channels = channels, .type = plan.weight};
    std::string bias(node.is("MatMul") ? "" : node.input(2));
    if (plan.bias_add) bias = plan.bias_add->bias;
    if (view_.index.initializer(bias) == nullptr) return;
    places_[bias] = {.role = Role::bias,
                     .axis = 0,
                     .channels = output_channels(node, weight),
                     .type = DataType::int32};
  }

  const PlanView& view_;
  std::map<std::string, Place, std::less<>> places_;
};

class Checker {
 public:
  Checker(const std::string& tensor, const TensorOverride& wanted, const Place& place)
      : tensor_(tensor), wanted_(wanted), place_(place) {}

  void run() const {
    check_type();
    check_axis();
    for (const TensorOverride::Values& values : wanted_.values) check_values(values);
  }

 private:
  [[nodiscard]] std::string where(std::string_view key) const {
    return fmt::format("quantize: TensorQuantOverrides of '{}': key '{}'", tensor_, key);
  }

  void check_type() const {
    if (wanted_.type != DataType::int32 || place_.role == Role::bias) return;
    throw Unsupported(
        fmt::format("{} is QInt32, expected QInt8, QUInt8, QInt16 or QUInt16; only "
                    "biases can have 32 bits",
                    where("quant_type")));
  }

  void check_axis() const {
    const auto entries = static_cast<std::int64_t>(wanted_.values.size());
    if (!wanted_.axis && entries > 1) {
      throw InvalidInput(
          fmt::format("quantize: TensorQuantOverrides of '{}': {} entries without "
                      "key 'axis', expected one entry, or the axis of the channels",
                      tensor_, entries));
    }
    if (!wanted_.axis) return;
    if (place_.role == Role::activation || place_.role == Role::constant) {
      throw Unsupported(
          fmt::format("{} is given, but only weights and biases have a scale per "
                      "channel; leave it out",
                      where("axis")));
    }
    if (place_.axis < 0) {
      throw Unsupported(
          fmt::format("{} is {}, but its channels cannot have a scale each; leave it out",
                      where("axis"), *wanted_.axis));
    }
    if (*wanted_.axis != place_.axis) {
      throw InvalidInput(fmt::format("{} is {}, expected {}, the axis of the output channels",
                                     where("axis"), *wanted_.axis, place_.axis));
    }
    if (entries > 1 && entries != place_.channels) {
      throw InvalidInput(
          fmt::format("quantize: TensorQuantOverrides of '{}': {} entries, expected "
                      "one, or one for each of the {} channels",
                      tensor_, entries, place_.channels));
    }
  }

  [[nodiscard]] DataType type() const { return wanted_.type.value_or(place_.type); }

  void check_values(const TensorOverride::Values& values) const {
    if (values.low && values.high && *values.low > *values.high) {
      throw InvalidInput(fmt::format("{} is {}, expected at most 'rmax', which is {}",
                                     where("rmin"), *values.low, *values.high));
    }
    if (!values.params) return;
    const float scale = values.params->scale;
    if (!std::isfinite(scale) || scale < std::numeric_limits<float>::min()) {
      throw InvalidInput(
          fmt::format("{} is {}, expected a positive normal float32", where("scale"), scale));
    }
    const IntegerLimits limits = integer_limits(type(), false);
    const std::int64_t zero_point = values.params->zero_point;
    if (zero_point < limits.low || zero_point > limits.high) {
      throw InvalidInput(fmt::format("{} is {}, expected {} to {}, the integers of {}",
                                     where("zero_point"), zero_point, limits.low, limits.high,
                                     to_string(type())));
    }
  }

  const std::string& tensor_;
  const TensorOverride& wanted_;
  const Place& place_;
};

[[noreturn]] void refuse(const PlanView& view, const Places& places, const std::string& tensor) {
  const auto pair = view.plan.pairs.find(tensor);
  if (pair != view.plan.pairs.end()) {
    const int clamp = pair->second.before_clamp.value();
    throw InvalidInput(fmt::format(
        "quantize: TensorQuantOverrides names tensor '{}', which shares the parameters of what {} "
        "bounds it to; expected tensor '{}'",
        tensor, describe_node(view.graph, clamp), view.node(clamp).outputs[0]));
  }
  const bool known = view.index.producer(tensor) || view.index.is_graph_input(tensor) ||
                     view.index.initializer(tensor) != nullptr;
  if (known) {
    throw InvalidInput(fmt::format(
        "quantize: TensorQuantOverrides names tensor '{}', which is not quantized; leave it out, "
        "or quantize the nodes that read and write it",
        tensor));
  }
  throw InvalidInput("quantize: TensorQuantOverrides: " +
                     unknown_name_message("tensor", tensor, places.names()));
}

const TensorOverride::Values& values_of(const TensorOverride& wanted, std::size_t channel) {
  static const TensorOverride::Values kNone;
  if (wanted.values.empty()) return kNone;
  return wanted.values[wanted.values.size() == 1 ? 0 : channel];
}

}  // namespace

void require_overrides(const PlanView& view) {
  if (view.options.overrides.empty()) return;
  const Places places(view);
  for (const auto& [tensor, wanted] : view.options.overrides) {
    const Place* place = places.find(tensor);
    if (place == nullptr) refuse(view, places, tensor);
    Checker(tensor, wanted, *place).run();
  }
}

std::vector<Range> overridden_ranges(const TensorOverride& wanted, std::vector<Range> ranges) {
  for (std::size_t channel = 0; channel < ranges.size(); ++channel) {
    const TensorOverride::Values& values = values_of(wanted, channel);
    ranges[channel].low = values.low.value_or(ranges[channel].low);
    ranges[channel].high = values.high.value_or(ranges[channel].high);
  }
  return ranges;
}

TensorParams overridden_params(const TensorOverride& wanted, const PlainParameters& plain) {
  TensorParams params{.type = wanted.type.value_or(plain.type),
                      .scales = {},
                      .zero_points = {},
                      .axis = plain.axis};
  const std::vector<Range> ranges = overridden_ranges(wanted, plain.ranges);
  for (std::size_t channel = 0; channel < ranges.size(); ++channel) {
    const ScaleZeroPoint found =
        values_of(wanted, channel)
            .params.value_or(
                scale_for(ranges[channel], params.type, wanted.symmetric.value_or(plain.symmetric),
                          wanted.reduce_range.value_or(plain.reduce_range), plain.rounding));
    params.scales.push_back(found.scale);
    params.zero_points.push_back(found.zero_point);
  }
  return params;
}

bool gives_params(const TensorOverride& wanted) {
  return std::ranges::any_of(wanted.values,
                             [](const auto& values) { return values.params.has_value(); });
}

bool fixes_scales(const TensorOverride& wanted) {
  return std::ranges::any_of(wanted.values, [](const auto& values) {
    return values.params.has_value() || values.low.has_value() || values.high.has_value();
  });
}

}  // namespace quantsearch
