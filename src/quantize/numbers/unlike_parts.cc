#include "quantize/numbers/unlike_parts.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "quantize/placement/least_steps.h"
#include "quantize/placement/range_rules.h"
#include "quantize/placement/tensor_overrides.h"

namespace quantsearch {

namespace {

/// True for operators whose output values are sums, which are no longer separate parts.
bool adds(const Node& node) { return node.is("Add") || node.is("Sub"); }

/// The smallest size of the values, zeros aside; nullopt for a single value, which makes no
/// channels unlike.
std::optional<double> smallest_factor(const Tensor& constant) {
  if (constant.size() < 2 || constant.type() != DataType::float32) return std::nullopt;
  std::optional<double> smallest;
  for (const float value : constant.values<float>()) {
    const double factor = std::abs(static_cast<double>(value));
    if (factor > 0) smallest = std::min(smallest.value_or(factor), factor);
  }
  return smallest;
}

class UnlikeNodes {
 public:
  UnlikeNodes(const PlanView& view, const Activations& activations, const Parts& parts)
      : view_(view), activations_(activations), parts_(parts) {}

  LeftFloat run() {
    for (int node = 0; node < view_.node_count(); ++node) {
      if (planned(node).rule == nullptr) continue;
      read_unlike(node);
      if (unites_values(at(node), view_.index)) {
        look_at_union(node);
      } else if (adds(at(node))) {
        look_at_sum(node);
      } else if (at(node).is("Mul")) {
        look_at_scaling(node);
      }
    }
    return std::move(left_);
  }

 private:
  [[nodiscard]] const Node& at(int node) const { return view_.node(node); }
  [[nodiscard]] const NodePlan& planned(int node) const { return view_.planned(node); }

  void leave_float(int node, const std::string& reason) {
    if (planned(node).quantized) left_.try_emplace(node, reason);
  }

  /// The largest step of the pairs of `tensor`; nullopt when it has no pair.
  [[nodiscard]] std::optional<float> step_of(std::string tensor) const {
    const auto pair = view_.plan.pairs.find(tensor);
    if (pair == view_.plan.pairs.end()) return std::nullopt;
    if (pair->second.before_clamp) tensor = at(*pair->second.before_clamp).outputs[0];
    const auto params = activations_.params.find(tensor);
    if (params == activations_.params.end()) return std::nullopt;
    float step = params->second.scales[0];
    const auto narrower = activations_.narrower.find(tensor);
    if (narrower == activations_.narrower.end()) return step;
    for (const TensorParams& other : narrower->second) step = std::max(step, other.scales[0]);
    return step;
  }

  /// Leaves a node float that reads a tensor of unlike parts, because that tensor cannot have a
  /// pair.
  void read_unlike(int node) {
    const auto inputs = data_inputs(at(node), *planned(node).rule, view_.index);
    const auto found = std::ranges::find_if(
        inputs, [&](std::size_t input) { return unlike_.contains(at(node).inputs[input]); });
    if (found == inputs.end()) return;
    leave_float(node, fmt::format("it reads '{}', whose parts differ too much in range to be "
                                  "quantized with one step",
                                  at(node).inputs[*found]));
    const bool passes_on = planned(node).rule->kind == OperatorKind::clamp ||
                           planned(node).rule->kind == OperatorKind::layout ||
                           planned(node).rule->kind == OperatorKind::padding;
    if (passes_on && !parts_.selects(at(node)))
      unlike_.insert(at(node).outputs.begin(), at(node).outputs.end());
  }

  [[nodiscard]] std::optional<Part> lost_part(int node, std::string_view tensor) const {
    const std::string& output = at(node).outputs[0];
    if (activation_override(view_, view_.options, output)) return std::nullopt;
    const auto step = step_of(output);
    return step ? parts_.lost_in(tensor, *step) : std::nullopt;
  }

  void look_at_union(int node) {
    const std::string& output = at(node).outputs[0];
    const auto lost = lost_part(node, output);
    if (!lost) return;
    leave_float(node, fmt::format("the step of its output '{}' would leave '{}' {}: their ranges "
                                  "differ too much",
                                  output, lost->tensor, steps_text(*lost)));
    unlike_.insert(output);
  }

  /// Leaves a sum float when a small addend would be lost in the step of the sum. If all readers of
  /// the sum are quantized, it gets the same step anyway and adding in float would not help.
  void look_at_sum(int node) {
    const NodePlan& plan = planned(node);
    if (!plan.quantized || plan.biased_matmul || plan.follows) return;
    if (!is_read_in_float(at(node).outputs[0])) return;
    for (const std::string& input : at(node).inputs) {
      if (view_.index.initializer(input) != nullptr) continue;
      const auto lost = lost_part(node, input);
      if (!lost) continue;
      leave_float(node, fmt::format("the step of its output '{}', which is read in float, would "
                                    "leave its input '{}' {}",
                                    at(node).outputs[0], input, steps_text(*lost)));
    }
  }

  /// Leaves a scaling by a constant for each channel float when the step of the largest channel
  /// would lose the smallest. As with sums, that helps only where the result is read in float.
  void look_at_scaling(int node) {
    const NodePlan& plan = planned(node);
    const std::string& output = at(node).outputs[0];
    if (!plan.quantized || plan.follows || !is_read_in_float(output)) return;
    if (activation_override(view_, view_.options, output)) return;
    const auto step = step_of(output);
    const auto lost = step ? parts_.lost_by_scaling(at(node), *step) : std::nullopt;
    if (!lost) return;
    leave_float(node, fmt::format("the step of its output '{}', which is read in float, would "
                                  "leave its smallest channel {}",
                                  output, steps_text(*lost)));
  }

  [[nodiscard]] bool is_read_in_float(const std::string& tensor) const {
    if (view_.index.is_graph_output(tensor)) return true;
    return std::ranges::any_of(view_.index.consumers(tensor), [&](int reader) {
      const NodePlan& plan = planned(reader);
      if (!plan.quantized) return true;
      const bool passes_on =
          plan.rule->kind == OperatorKind::clamp || plan.rule->kind == OperatorKind::layout;
      return passes_on && std::ranges::any_of(at(reader).outputs, [&](const std::string& output) {
               return is_read_in_float(output);
             });
    });
  }

  const PlanView& view_;
  const Activations& activations_;
  const Parts& parts_;
  LeftFloat left_;
  std::set<std::string, std::less<>> unlike_;  // tensors whose parts cannot share one step
};

}  // namespace

Parts::Parts(const GraphView& view, const std::map<std::string, double, std::less<>>& spans)
    : index_(view.index), spans_(spans) {
  for (const ValueInfo& input : view.graph.inputs) {
    if (const auto span = spans_.find(input.name); span != spans_.end() && span->second > 0)
      smallest_[input.name] = {.tensor = input.name, .span = span->second};
  }
  for (const Node& node : view.graph.nodes) settle(node);
}

bool Parts::selects(const Node& node) const {
  return selects_values(node) && std::ranges::all_of(node.outputs, [&](const std::string& output) {
           return output.empty() || spans_.contains(output);
         });
}

void Parts::take(std::string_view tensor, std::optional<Smallest>& smallest) const {
  std::optional<Smallest> part;
  if (const Tensor* constant = index_.initializer(tensor)) {
    // A single value is a threshold or a fill value, not data.
    const auto span = spans_.find(tensor);
    if (constant->size() > 1 && span != spans_.end())
      part = Smallest{.tensor = std::string(tensor), .span = span->second};
  } else if (const auto found = smallest_.find(tensor); found != smallest_.end()) {
    part = found->second;
  }
  if (part && part->span > 0 && (!smallest || part->span < smallest->span)) smallest = part;
}

void Parts::settle(const Node& node) {
  const OperatorRule* rule = find_rule(node);
  std::optional<Smallest> passed;
  if (rule != nullptr) {
    const bool passes_on = unites_values(node, index_) || rule->kind == OperatorKind::clamp ||
                           (rule->kind == OperatorKind::layout && !selects(node)) ||
                           rule->kind == OperatorKind::padding;
    if (passes_on) {
      for (const std::size_t input : data_inputs(node, *rule, index_))
        take(node.inputs[input], passed);
    }
  }
  for (const std::string& output : node.outputs) {
    std::optional<Smallest> smallest = passed;
    // A clamp may cut off values of its input.
    const auto span = spans_.find(output);
    const bool is_known = span != spans_.end() && span->second > 0;
    if (is_known && (!smallest || span->second < smallest->span))
      smallest = Smallest{.tensor = output, .span = span->second};
    if (smallest) smallest_[output] = *smallest;
  }
}

std::optional<Part> Parts::lost_in(std::string_view tensor, float scale) const {
  const auto found = smallest_.find(tensor);
  if (found == smallest_.end()) return std::nullopt;
  const double steps = found->second.span / static_cast<double>(scale);
  if (steps >= kLeastSteps) return std::nullopt;
  return Part{.tensor = found->second.tensor, .steps = steps};
}

std::optional<Part> Parts::lost_by_scaling(const Node& node, float scale) const {
  for (const std::size_t constant : {std::size_t{0}, std::size_t{1}}) {
    const Tensor* const values = index_.initializer(node.inputs[constant]);
    const auto factor = values == nullptr ? std::nullopt : smallest_factor(*values);
    const auto span = spans_.find(node.inputs[1 - constant]);
    if (!factor || span == spans_.end() || span->second <= 0) continue;
    const double steps = *factor * span->second / static_cast<double>(scale);
    if (steps < kLeastSteps) return Part{.tensor = node.outputs[0], .steps = steps};
  }
  return std::nullopt;
}

LeftFloat unlike_nodes(const PlanView& view, const Activations& activations, const Parts& parts) {
  return UnlikeNodes(view, activations, parts).run();
}

std::string steps_text(const Part& part) {
  return fmt::format("{:.2g} steps of its own range (at least 16 are needed)", part.steps);
}

}  // namespace quantsearch
