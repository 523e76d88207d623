#include "quantize/numbers/shared_params.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantize/numbers/overrides.h"
#include "quantize/placement/range_rules.h"
#include "quantize/placement/tensor_overrides.h"

namespace quantsearch {

SharedParams::SharedParams(const PlanView& view, Activations& activations)
    : view_(view), activations_(activations) {
  join_moved();
  add_constants();
}

void SharedParams::join_moved() {
  // The group of a tensor is identified by the first tensor of its chain of data movement.
  std::map<std::string, std::size_t> by_origin;
  for (const auto& [tensor, pair] : view_.plan.pairs) {
    std::string origin = tensor;
    while (find_override(view_.options, origin) == nullptr) {
      auto source = moved_from(view_, origin);
      if (!source || !view_.plan.pairs.contains(*source)) break;
      // Data movement that stays float needs no equal parameters.
      if (!view_.planned(*view_.index.producer(origin)).quantized) break;
      origin = std::move(*source);
    }
    const auto [entry, is_new] = by_origin.try_emplace(origin, groups_.size());
    if (is_new) groups_.emplace_back();
    groups_[entry->second].push_back(tensor);
    group_of_[tensor] = entry->second;
  }
}

void SharedParams::add_constants() {
  for (int node = 0; node < view_.node_count(); ++node) {
    const NodePlan& plan = view_.planned(node);
    if (!plan.quantized || plan.biased_matmul || plan.follows || plan.reads_table) continue;
    const Node& at = view_.node(node);
    for (const std::size_t input : data_inputs(at, *plan.rule, view_.index)) {
      const std::string& name = at.inputs[input];
      const Tensor* constant = view_.index.initializer(name);
      if (constant == nullptr || constant->type() != DataType::float32 || group_of_.contains(name))
        continue;
      activations_.constants.try_emplace(
          name, constant_params(name, *constant, view_.options.activation_type, view_.options));
      group_of_[name] = groups_.size();
      groups_.push_back({name});
    }
  }
}

const TensorParams* SharedParams::find(const std::string& tensor) const {
  if (const auto params = activations_.params.find(tensor); params != activations_.params.end())
    return &params->second;
  const auto constant = activations_.constants.find(tensor);
  return constant == activations_.constants.end() ? nullptr : &constant->second;
}

const std::vector<std::string>& SharedParams::sharing(const std::string& tensor) const {
  return groups_[group_of_.find(tensor)->second];
}

bool SharedParams::set(const std::string& tensor, const TensorParams& params,
                       const std::string& rule) {
  const TensorParams& now = *find(tensor);
  if (now.scales == params.scales && now.zero_points == params.zero_points) return false;
  for (const std::string& member : sharing(tensor)) {
    const TensorOverride* wanted = find_override(view_.options, member);
    if (wanted != nullptr && fixes_scales(*wanted)) {
      throw InvalidInput(
          fmt::format("quantize: TensorQuantOverrides of '{}' gives the scale {}, but {} needs {}; "
                      "leave one of "
                      "the two out",
                      member, now.scales[0], rule, params.scales[0]));
    }
    const auto activation = activations_.params.find(member);
    if (activation == activations_.params.end() && !activations_.constants.contains(member))
      continue;
    TensorParams& changed = activation != activations_.params.end()
                                ? activation->second
                                : activations_.constants.at(member);
    changed.scales = params.scales;
    changed.zero_points = params.zero_points;
  }
  return true;
}

std::vector<std::string> SharedParams::inputs_of(int node) const {
  const Node& at = view_.node(node);
  std::vector<std::string> inputs;
  for (const std::size_t input : data_inputs(at, *view_.planned(node).rule, view_.index)) {
    const std::string& name = at.inputs[input];
    if (find(name) != nullptr && std::ranges::find(inputs, name) == inputs.end())
      inputs.push_back(name);
  }
  return inputs;
}

std::optional<int> SharedParams::continuation_of(int node) const {
  const NodePlan& plan = view_.planned(node);
  if (plan.bias_add) return plan.bias_add->node;
  const auto reader = only_reader(view_, view_.node(node).outputs[0]);
  if (reader && view_.planned(*reader).follows == node) return reader;
  return std::nullopt;
}

std::optional<std::string> SharedParams::output_of(int node) const {
  while (const auto next = continuation_of(node)) node = *next;
  std::string tensor = view_.node(node).outputs[0];
  const auto pair = view_.plan.pairs.find(tensor);
  if (pair == view_.plan.pairs.end()) return std::nullopt;
  if (pair->second.before_clamp) tensor = view_.node(*pair->second.before_clamp).outputs[0];
  return tensor;
}

}  // namespace quantsearch
