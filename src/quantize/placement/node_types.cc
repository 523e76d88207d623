#include "quantize/placement/node_types.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "quantize/placement/tensor_overrides.h"

namespace quantsearch {

namespace {

bool is_wider(DataType a, DataType b) {
  return bits_of(a) != bits_of(b) ? bits_of(a) > bits_of(b) : a < b;
}

class TypeAssigner {
 public:
  TypeAssigner(Plan& plan, const GraphView& view, const QuantizeOptions& options)
      : plan_(plan), view_(view), options_(options) {}

  void run() {
    require_formats_that_apply();
    for (std::size_t node = 0; node < view_.graph.nodes.size(); ++node) take_formats(node);
    for (std::size_t node = view_.graph.nodes.size(); node-- > 0;) collect_from_readers(node);
    for (const ValueInfo& input : view_.graph.inputs) settle_pair(input.name, nullptr);
    for (std::size_t node = 0; node < view_.graph.nodes.size(); ++node) settle_outputs(node);
    align_clamps();
  }

 private:
  void require_formats_that_apply() const {
    for (std::size_t node = 0; node < view_.graph.nodes.size(); ++node) {
      const std::string label = node_label(view_.graph, static_cast<int>(node));
      const auto format = options_.node_formats.find(label);
      if (format == options_.node_formats.end() || format->second.keep_float) continue;
      const std::string reason = why_it_has_no_format(node, format->second);
      if (reason.empty()) continue;
      throw InvalidInput(
          fmt::format("quantize: option 'node_formats': node '{}' {}", label, reason));
    }
  }

  [[nodiscard]] std::string why_it_has_no_format(std::size_t node, const NodeFormat& format) const {
    const NodePlan& planned = plan_.nodes[node];
    if (planned.rule == nullptr) {
      return fmt::format("is a {}, which is never quantized; leave it out",
                         view_.graph.nodes[node].op_type);
    }
    if (planned.biased_matmul) {
      return fmt::format("adds the bias of '{}'; give that node the format",
                         node_label(view_.graph, *planned.biased_matmul));
    }
    if (passes_values_on(planned)) {
      return fmt::format(
          "is a {}, which takes the type of the values it passes on; give its readers the format",
          view_.graph.nodes[node].op_type);
    }
    const bool weighted = has_weight(planned.rule->kind) &&
                          view_.index.initializer(view_.graph.nodes[node].input(1)) != nullptr;
    return format.weight && !weighted ? "has no constant weight, so no weight type" : "";
  }

  void take_formats(std::size_t node) {
    NodePlan& planned = plan_.nodes[node];
    if (!planned.quantized) return;
    const int at = planned.biased_matmul.value_or(static_cast<int>(node));
    const auto found = options_.node_formats.find(node_label(view_.graph, at));
    const bool has_format = found != options_.node_formats.end();
    planned.weight = options_.weight_type;
    if (has_format && found->second.weight) planned.weight = *found->second.weight;
    if (passes_values_on(planned)) return;
    planned.activation = options_.activation_type;
    if (has_format && found->second.activation) planned.activation = *found->second.activation;
  }

  /// Called in reverse order, so that readers have their type before the producers.
  void collect_from_readers(std::size_t node) {
    NodePlan& planned = plan_.nodes[node];
    if (!planned.quantized) return;
    if (passes_values_on(planned)) planned.activation = widest_wanted(node);
    if (planned.activation == DataType::undefined) return;  // settle_outputs() takes the input's
    for (const std::size_t input :
         data_inputs(view_.graph.nodes[node], *planned.rule, view_.index)) {
      wanted_[view_.graph.nodes[node].inputs[input]].insert(planned.activation);
    }
  }

  [[nodiscard]] DataType widest_wanted(std::size_t node) const {
    DataType widest = DataType::undefined;
    for (const std::string& output : view_.graph.nodes[node].outputs) {
      const auto types = wanted_.find(output);
      if (types == wanted_.end()) continue;
      for (const DataType type : types->second) {
        if (widest == DataType::undefined || is_wider(type, widest)) widest = type;
      }
    }
    return widest;
  }

  /// Called in order, so that producers have their type before their outputs.
  void settle_outputs(std::size_t node) {
    NodePlan& planned = plan_.nodes[node];
    if (planned.quantized && planned.activation == DataType::undefined) {
      const auto read = plan_.pairs.find(view_.graph.nodes[node].inputs[0]);
      planned.activation =
          read == plan_.pairs.end() ? options_.activation_type : read->second.types.front();
    }
    for (const std::string& output : view_.graph.nodes[node].outputs) settle_pair(output, &planned);
  }

  void settle_pair(const std::string& tensor, const NodePlan* producer) {
    const auto pair = plan_.pairs.find(tensor);
    if (pair == plan_.pairs.end()) return;
    std::vector<DataType>& types = pair->second.types;
    settle_types(types, tensor, producer);
    // An override by the user applies to all readers of the tensor.
    const auto fixed = activation_override(view_, options_, tensor);
    if (fixed) types = {fixed->wanted.type.value_or(types.front())};
  }

  void settle_types(std::vector<DataType>& types, const std::string& tensor,
                    const NodePlan* producer) const {
    if (const auto wanted = wanted_.find(tensor); wanted != wanted_.end()) {
      types.assign(wanted->second.begin(), wanted->second.end());
      std::ranges::sort(types, is_wider);
    } else {
      const bool has_type = producer != nullptr && producer->quantized;
      types = {has_type ? producer->activation : options_.activation_type};
    }
  }

  /// The pair before a clamp shares its parameters with the pair after it.
  void align_clamps() {
    for (auto& [tensor, pair] : plan_.pairs) {
      if (!pair.before_clamp) continue;
      const Node& clamp = view_.node(*pair.before_clamp);
      pair.types = {plan_.pairs.find(clamp.outputs[0])->second.types.front()};
    }
  }

  Plan& plan_;
  const GraphView& view_;
  const QuantizeOptions& options_;
  std::map<std::string, std::set<DataType>, std::less<>> wanted_;  // types of the readers by tensor
};

}  // namespace

bool passes_values_on(const NodePlan& node) {
  const OperatorKind kind = node.rule->kind;
  return kind == OperatorKind::clamp || kind == OperatorKind::layout ||
         kind == OperatorKind::padding;
}

void assign_types(Plan& plan, const GraphView& view, const QuantizeOptions& options) {
  TypeAssigner(plan, view, options).run();
}

}  // namespace quantsearch
