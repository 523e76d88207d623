#include "quantize/placement/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "quantize/placement/eligibility.h"
#include "quantize/placement/node_types.h"
#include "quantize/placement/recurrent.h"
#include "quantize/placement/scope.h"

namespace quantsearch {

namespace {

using Tensors = std::set<std::string, std::less<>>;

class Planner {
 public:
  Planner(const Model& model, const GraphIndex& index, const QuantizeOptions& options,
          const LeftFloat& left)
      : model_(model), view_{.graph = model.graph, .index = index}, options_(options), left_(left) {
    plan_.nodes.resize(view_.graph.nodes.size());
  }

  Plan run() {
    select_nodes();
    attach_biases();
    if (options_.npu.enabled) attach_followers();
    find_integer_tensors();
    collect_demand();
    for (std::size_t node = 0; node < view_.graph.nodes.size(); ++node) place_pairs(node);
    assign_types(plan_, view_, options_);
    return std::move(plan_);
  }

 private:
  [[nodiscard]] const Node& node_at(std::size_t node) const { return view_.graph.nodes[node]; }
  [[nodiscard]] bool is_selected(std::size_t node) const {
    return plan_.nodes[node].rule != nullptr && plan_.nodes[node].reason.empty();
  }
  [[nodiscard]] OperatorKind kind_of(std::size_t node) const {
    return plan_.nodes[node].rule->kind;
  }
  /// True for a selected node that computes on its own: it is not a clamp, a layout operator, a
  /// Pad, the bias of a MatMul or a follower.
  [[nodiscard]] bool is_anchor(std::size_t node) const {
    if (!is_selected(node) || is_part(node)) return false;
    return kind_of(node) != OperatorKind::clamp && kind_of(node) != OperatorKind::layout &&
           kind_of(node) != OperatorKind::padding;
  }
  /// True for a node that changes the result of its producer without a pair between them.
  [[nodiscard]] bool is_part(std::size_t node) const {
    return plan_.nodes[node].biased_matmul || plan_.nodes[node].follows;
  }
  void leave_float(std::size_t node, std::string reason) {
    plan_.nodes[node].reason = std::move(reason);
  }

  void select_nodes() {
    const std::vector<std::string> excluded = excluded_by_options(view_, options_);
    for (std::size_t node = 0; node < view_.graph.nodes.size(); ++node) {
      plan_.nodes[node].rule = find_rule(node_at(node));
      const std::string reason =
          why_not_quantizable(model_, view_.index, static_cast<int>(node), options_);
      // The user's exclusion is the reason shown, unless the node could not be quantized anyway.
      leave_float(node, plan_.nodes[node].rule == nullptr || excluded[node].empty()
                            ? reason
                            : excluded[node]);
      plan_.nodes[node].reads_table = is_selected(node) && node_at(node).is("Gather") &&
                                      view_.index.initializer(node_at(node).inputs[0]) != nullptr;
      select_recurrent(node, excluded[node]);
    }
    for (const auto& [node, reason] : left_) {
      if (is_selected(static_cast<std::size_t>(node)))
        leave_float(static_cast<std::size_t>(node), reason);
    }
  }

  void select_recurrent(std::size_t node, const std::string& excluded) {
    if (!is_recurrent(node_at(node))) return;
    NodePlan& plan = plan_.nodes[node];
    plan.reason =
        excluded.empty() ? why_not_dynamic(node_at(node), view_.index, options_) : excluded;
    plan.is_recurrent = plan.reason.empty();
  }

  void attach_biases() {
    for (std::size_t node = 0; node < view_.graph.nodes.size(); ++node) {
      if (!node_at(node).is("MatMul")) continue;
      const auto bias = bias_add_of(view_, static_cast<int>(node));
      if (!bias) continue;
      const auto add = static_cast<std::size_t>(bias->node);
      if (!is_selected(add)) continue;
      if (is_selected(node)) {
        plan_.nodes[node].bias_add = bias;
        plan_.nodes[add].biased_matmul = static_cast<int>(node);
      } else {
        leave_float(add, "it adds the bias of a MatMul that stays float");
      }
    }
  }

  /// The producer whose result an NPU changes by `node` before it writes the result: `node` is a
  /// LeakyRelu after a layer or the factor that turns a sum into an average.
  [[nodiscard]] std::optional<int> producer_followed_by(std::size_t node) const {
    const Node& at = node_at(node);
    for (const std::string& input : at.inputs) {
      const auto producer = view_.index.producer(input);
      if (!producer || only_reader(view_, input) != static_cast<int>(node)) continue;
      const auto before = static_cast<std::size_t>(*producer);
      if (!is_selected(before) || plan_.nodes[before].bias_add) continue;
      if ((at.is("LeakyRelu") || (at.is("PRelu") && input == at.inputs[0])) &&
          (has_weight(kind_of(before)) || plan_.nodes[before].biased_matmul ||
           node_at(before).is("Add")))
        return *producer;
      if (at.is("Mul") && is_scaled_before_writing(node_at(before)) && other_is_scalar(at, input))
        return *producer;
    }
    return std::nullopt;
  }
  [[nodiscard]] static bool is_scaled_before_writing(const Node& node) {
    return node.is("AveragePool") || node.is("GlobalAveragePool") || node.is("ReduceMean") ||
           node.is("HardSigmoid");
  }
  [[nodiscard]] bool other_is_scalar(const Node& mul, const std::string& input) const {
    const Tensor* other = view_.index.initializer(mul.inputs[mul.inputs[0] == input ? 1 : 0]);
    return other != nullptr && other->size() == 1;
  }

  void attach_followers() {
    for (std::size_t node = 0; node < view_.graph.nodes.size(); ++node) {
      if (is_selected(node)) plan_.nodes[node].follows = producer_followed_by(node);
    }
  }

  /// True when the user named the operator type; such nodes are quantized even if that is slower.
  [[nodiscard]] bool is_forced(std::size_t node) const {
    const auto asked = [&](const std::vector<std::string>& types) {
      return std::ranges::find(types, node_at(node).op_type) != types.end();
    };
    return asked(options_.op_types) || asked(options_.extra_op_types);
  }

  [[nodiscard]] bool reads_any(std::size_t node, const Tensors& tensors) const {
    return std::ranges::any_of(
        data_inputs(node_at(node), *plan_.nodes[node].rule, view_.index),
        [&](std::size_t input) { return tensors.contains(node_at(node).inputs[input]); });
  }

  /// A forward walk that finds the tensors that are integer anyway (`pinned_`: results of a Conv,
  /// which needs a QuantizeLinear) and those that can be integer at no cost (`capable_`: results of
  /// a MatMul or Gemm, which have kernels with either output). An elementwise operator is faster on
  /// integers only when it reads such tensors.
  void find_integer_tensors() {
    decided_.resize(view_.graph.nodes.size());
    for (std::size_t node = 0; node < view_.graph.nodes.size(); ++node) {
      if (!is_selected(node)) continue;
      const auto& outputs = node_at(node).outputs;
      const bool passes_on =
          kind_of(node) == OperatorKind::clamp || kind_of(node) == OperatorKind::layout;
      bool pinned = passes_on && pinned_.contains(node_at(node).inputs[0]);
      bool capable = passes_on && capable_.contains(node_at(node).inputs[0]);
      if (plan_.nodes[node].follows) {
        decided_[node] = true;
        pinned = capable = reads_any(node, pinned_);
      }
      if (has_weight(kind_of(node)) || plan_.nodes[node].biased_matmul) {
        decided_[node] = true;
        capable = true;
        pinned = kind_of(node) == OperatorKind::convolution;
      } else if (is_anchor(node) && (is_forced(node) || reads_any(node, pinned_))) {
        decided_[node] = true;
        capable = true;
        pinned = true;
      }
      if (capable) capable_.insert(outputs.begin(), outputs.end());
      if (pinned) pinned_.insert(outputs.begin(), outputs.end());
    }
  }

  /// True for operators whose integer kernels are slow unless their input is integer already, so
  /// that a pair of their own does not pay.
  [[nodiscard]] bool needs_integer_input(std::size_t node) const {
    return (node_at(node).is("MaxPool") || node_at(node).is("Resize")) && !is_forced(node);
  }

  [[nodiscard]] bool is_output_demanded(std::size_t node) const {
    return std::ranges::any_of(node_at(node).outputs,
                               [&](const std::string& out) { return demanded_.contains(out); });
  }

  /// A backward walk that finds the tensors that must be quantized for their readers.
  void collect_demand() {
    for (std::size_t node = view_.graph.nodes.size(); node-- > 0;) {
      if (!is_selected(node)) continue;
      if (is_anchor(node)) {
        demand_of_anchor(node);
      } else if (kind_of(node) == OperatorKind::layout) {
        demand_of_layout(node);
      } else if (kind_of(node) == OperatorKind::padding) {
        place_padding(node);
      } else if (plan_.nodes[node].follows && is_output_demanded(node)) {
        demanded_.insert(node_at(static_cast<std::size_t>(*plan_.nodes[node].follows)).outputs[0]);
      } else if (kind_of(node) == OperatorKind::clamp && is_forced(node)) {
        demand(node_at(node).outputs[0]);
        demand(node_at(node).inputs[0]);
      }
    }
  }

  void demand_of_anchor(std::size_t node) {
    if (!decided_[node]) {
      if (!is_output_demanded(node) || !reads_any(node, capable_)) {
        return leave_float(
            node,
            "none of its inputs comes from an integer kernel, so it would only add conversions");
      }
      decided_[node] = true;
    }
    for (const std::size_t input :
         data_inputs(node_at(node), *plan_.nodes[node].rule, view_.index)) {
      demand(node_at(node).inputs[input]);
    }
  }

  void demand_of_layout(std::size_t node) {
    const std::string& input = node_at(node).inputs[0];
    if (needs_integer_input(node) && !capable_.contains(input)) {
      leave_float(node,
                  "its producer stays float, and alone its integer kernel is slower than float");
    } else if (is_output_demanded(node)) {
      demand(input);
    }
  }

  void demand(const std::string& tensor) {
    if (!tensor.empty() && view_.index.initializer(tensor) == nullptr) demanded_.insert(tensor);
  }

  /// A Pad before an integer Conv has the pair on its own input. Any other Pad stays float, unless
  /// the user named the operator type: then it has a pair on both sides.
  void place_padding(std::size_t node) {
    const Node& at = node_at(node);
    if (is_forced(node) && !merges_into_conv(view_, static_cast<int>(node))) {
      demand(at.inputs[0]);
      plan_.nodes[node].quantized = true;
      return;
    }
    if (!demanded_.contains(at.outputs[0]) || !merges_into_conv(view_, static_cast<int>(node))) {
      leave_float(node,
                  "ONNX Runtime's CPU provider has no integer kernel for a Pad that cannot be "
                  "merged into a Conv");
      return;
    }
    demanded_.erase(at.outputs[0]);
    demand(at.inputs[0]);
    plan_.nodes[node].quantized = true;
  }

  void place_pairs(std::size_t node) {
    if (node == 0) {
      for (const ValueInfo& input : view_.graph.inputs) place_if_demanded(input.name);
    }
    if (!is_selected(node)) {
      for (const std::string& output : node_at(node).outputs) place_if_demanded(output);
      return;
    }
    switch (kind_of(node)) {
      case OperatorKind::clamp:
        return place_clamp(node);
      case OperatorKind::layout:
        return place_layout(node);
      case OperatorKind::padding:
        if (is_forced(node) && !merges_into_conv(view_, static_cast<int>(node)))
          plan_.pairs[node_at(node).outputs[0]] = {.for_all_readers = true,
                                                   .before_clamp = std::nullopt};
        return;
      case OperatorKind::convolution:
      case OperatorKind::gemm:
      case OperatorKind::matmul:
      case OperatorKind::elementwise:
      case OperatorKind::unary:
        return place_anchor(node);
    }
  }

  void place_if_demanded(const std::string& tensor) {
    if (demanded_.contains(tensor)) plan_.pairs[tensor] = {};
  }

  /// True for MatMul and Gemm, which have kernels with float output, when no reader needs integers.
  /// Every other integer kernel needs a QuantizeLinear after it.
  [[nodiscard]] bool output_may_stay_float(std::size_t node, const std::string& output) const {
    const bool can = kind_of(node) == OperatorKind::gemm || kind_of(node) == OperatorKind::matmul ||
                     plan_.nodes[node].biased_matmul;
    return can && !demanded_.contains(output) && !view_.index.is_graph_output(output);
  }

  void place_anchor(std::size_t node) {
    if (const auto before = plan_.nodes[node].follows;
        before && !plan_.nodes[static_cast<std::size_t>(*before)].quantized) {
      plan_.nodes[node].follows = std::nullopt;
      leave_float(node, "the node that it follows stays float");
      for (const std::string& output : node_at(node).outputs) place_if_demanded(output);
      return;
    }
    plan_.nodes[node].quantized = true;
    if (plan_.nodes[node].bias_add) return;  // no pair between MatMul and its bias
    if (is_followed(node)) return;
    for (const std::string& output : node_at(node).outputs) {
      if (output.empty()) continue;
      const auto clamp = clamp_after(output);
      const std::string& bounded =
          clamp ? node_at(static_cast<std::size_t>(*clamp)).outputs[0] : output;
      if (output_may_stay_float(node, bounded)) continue;
      plan_.pairs[output] = {.for_all_readers = true, .before_clamp = clamp, .types = {}};
      if (clamp)
        plan_.pairs[bounded] = {.for_all_readers = true, .before_clamp = std::nullopt, .types = {}};
    }
  }

  [[nodiscard]] bool is_followed(std::size_t node) const {
    const auto reader = only_reader(view_, node_at(node).outputs[0]);
    return reader &&
           plan_.nodes[static_cast<std::size_t>(*reader)].follows == static_cast<int>(node);
  }

  [[nodiscard]] std::optional<int> clamp_after(const std::string& tensor) const {
    const auto reader = only_reader(view_, tensor);
    if (!reader) return std::nullopt;
    const auto node = static_cast<std::size_t>(*reader);
    if (!is_selected(node) || kind_of(node) != OperatorKind::clamp) return std::nullopt;
    return reader;
  }

  void place_clamp(std::size_t node) {
    const std::string& input = node_at(node).inputs[0];
    const std::string& output = node_at(node).outputs[0];
    if (!plan_.pairs.contains(output)) place_if_demanded(output);
    const auto before = plan_.pairs.find(input);
    const bool integer_input =
        before != plan_.pairs.end() && (before->second.for_all_readers || is_forced(node));
    if (!integer_input) return leave_float(node, "its input is not quantized");
    const auto after = plan_.pairs.find(output);
    if (after == plan_.pairs.end())
      return leave_float(node, "no reader of its output is quantized");
    plan_.nodes[node].quantized = true;
    after->second.for_all_readers = true;
  }

  void place_layout(std::size_t node) {
    const std::string& input = node_at(node).inputs[0];
    const auto pair = plan_.pairs.find(input);
    const auto& outputs = node_at(node).outputs;
    if (plan_.nodes[node].reads_table) {
      plan_.nodes[node].quantized = true;
      for (const std::string& output : outputs) place_if_demanded(output);
      return;
    }
    if (pair == plan_.pairs.end() || !(pair->second.for_all_readers || is_output_demanded(node))) {
      return leave_float(node, "neither its producer nor a reader of its output is quantized");
    }
    plan_.nodes[node].quantized = true;
    for (const std::string& output : outputs) {
      if (output.empty()) continue;
      plan_.pairs[output] = {.for_all_readers = true, .before_clamp = std::nullopt, .types = {}};
    }
  }

  const Model& model_;
  const GraphView view_;
  const QuantizeOptions& options_;
  const LeftFloat& left_;
  Plan plan_;
  std::vector<bool> decided_;  // anchors that will be quantized
  Tensors pinned_;
  Tensors capable_;
  Tensors demanded_;
};

}  // namespace

Plan make_plan(const Model& model, const GraphIndex& index, const QuantizeOptions& options,
               const LeftFloat& left) {
  return Planner(model, index, options, left).run();
}

}  // namespace quantsearch
