#include "quantize/numbers/shared_params.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantize/numbers/overrides.h"
#include "quantize/placement/range_rules.h"
#include "quantize/placement/tensor_overrides.h"

namespace quantsearch {

SharedParams::SharedParams(const Graph& graph, const GraphIndex& index, const Plan& plan,
                           const QuantizeOptions& options, Activations& activations)
    : graph_(graph), index_(index), plan_(plan), options_(options), activations_(activations) {
  join_moved(options);
  add_constants(options);
}

void SharedParams::join_moved(const QuantizeOptions& options) {
  // A tensor leads back to the first of its chain, whose name stands for the group.
  std::map<std::string, std::size_t> by_origin;
  for (const auto& [tensor, pair] : plan_.pairs) {
    std::string origin = tensor;
    while (find_override(options, origin) == nullptr) {
      auto source = moved_from(graph_, index_, origin);
      if (!source || !plan_.pairs.contains(*source)) break;
      // Data movement that stays float needs no equal parameters.
      if (!plan_.nodes[static_cast<std::size_t>(*index_.producer(origin))].quantized) break;
      origin = std::move(*source);
    }
    const auto [entry, is_new] = by_origin.try_emplace(origin, groups_.size());
    if (is_new) groups_.emplace_back();
    groups_[entry->second].push_back(tensor);
    group_of_[tensor] = entry->second;
  }
}

void SharedParams::add_constants(const QuantizeOptions& options) {
  for (std::size_t node = 0; node < graph_.nodes.size(); ++node) {
    const NodePlan& plan = plan_.nodes[node];
    if (!plan.quantized || plan.biased_matmul || plan.follows || plan.reads_table) continue;
    for (const std::size_t input : data_inputs(graph_.nodes[node], *plan.rule, index_)) {
      const std::string& name = graph_.nodes[node].inputs[input];
      const Tensor* constant = index_.initializer(name);
      if (constant == nullptr || constant->type() != DataType::float32 || group_of_.contains(name))
        continue;
      activations_.constants.try_emplace(
          name, constant_params(name, *constant, options.activation_type, options));
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
    const TensorOverride* wanted = find_override(options_, member);
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
  const auto at = static_cast<std::size_t>(node);
  std::vector<std::string> inputs;
  for (const std::size_t input : data_inputs(graph_.nodes[at], *plan_.nodes[at].rule, index_)) {
    const std::string& name = graph_.nodes[at].inputs[input];
    if (find(name) != nullptr && std::ranges::find(inputs, name) == inputs.end())
      inputs.push_back(name);
  }
  return inputs;
}

std::optional<int> SharedParams::continuation_of(int node) const {
  const NodePlan& plan = plan_.nodes[static_cast<std::size_t>(node)];
  if (plan.bias_add) return plan.bias_add->node;
  const auto reader =
      only_reader(graph_, index_, graph_.nodes[static_cast<std::size_t>(node)].outputs[0]);
  if (reader && plan_.nodes[static_cast<std::size_t>(*reader)].follows == node) return reader;
  return std::nullopt;
}

std::optional<std::string> SharedParams::output_of(int node) const {
  while (const auto next = continuation_of(node)) node = *next;
  std::string tensor = graph_.nodes[static_cast<std::size_t>(node)].outputs[0];
  const auto pair = plan_.pairs.find(tensor);
  if (pair == plan_.pairs.end()) return std::nullopt;
  if (pair->second.before_clamp)
    tensor = graph_.nodes[static_cast<std::size_t>(*pair->second.before_clamp)].outputs[0];
  return tensor;
}

}  // namespace quantsearch
