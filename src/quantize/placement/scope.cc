#include "quantize/placement/scope.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <set>

#include "quantize/placement/hard_activations.h"
#include "quantize/placement/operators.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/internal/model/linear_layer.h"
#include "quantsearch/internal/quantize/option_keys.h"

namespace quantsearch {

namespace {

using Flags = std::vector<bool>;

/// What operator_pattern() returns beside operator types.
constexpr const char* kOperatorPatterns[] = {"Conv/depthwise", "Conv/pointwise", "Conv/spatial",
                                             "MatMul/constant", "MatMul/dynamic"};

class Scope {
 public:
  explicit Scope(const GraphView& view) : view_(view), reasons_(view.graph.nodes.size()) {
    for (int node = 0; node < view_.node_count(); ++node)
      labels_.emplace(node_label(view.graph, node), node);
  }

  void apply(const QuantizeOptions& options) {
    keep_operator_types(options);
    keep_nodes(options.nodes);
    exclude_nodes(options.exclude_nodes);
    keep_float_nodes(options.node_formats);
    exclude_subgraphs(options.exclude_subgraphs);
    exclude_before(options.input_tensors);
    exclude_after(options.output_tensors);
  }

  [[nodiscard]] std::vector<std::string> take_reasons() { return std::move(reasons_); }

 private:
  /// Keeps the first reason, because it is the first one to remove so that the node is quantized.
  void exclude(int node, const std::string& reason) {
    std::string& known = reasons_[static_cast<std::size_t>(node)];
    if (known.empty()) known = reason;
  }

  void exclude_all(const Flags& nodes, const std::string& reason) {
    for (int node = 0; node < view_.node_count(); ++node) {
      if (nodes[static_cast<std::size_t>(node)]) exclude(node, reason);
    }
  }

  [[nodiscard]] int find_node(const std::string& name, std::string_view option) const {
    const auto found = labels_.find(name);
    if (found == labels_.end()) throw_unknown(name, option, "node", false);
    return found->second;
  }

  [[noreturn]] void throw_unknown(const std::string& name, std::string_view option,
                                  std::string_view what, bool with_tensors) const {
    std::vector<std::string> known;
    for (const auto& [label, node] : labels_) known.push_back(label);
    if (with_tensors) {
      for (const Node& node : view_.graph.nodes)
        known.insert(known.end(), node.outputs.begin(), node.outputs.end());
      for (const ValueInfo& input : view_.graph.inputs) known.push_back(input.name);
    }
    throw InvalidInput(
        fmt::format("quantize: option '{}': {}", option, unknown_name_message(what, name, known)));
  }

  void require_known_types(const std::vector<std::string>& types, std::string_view option,
                           bool quantizable) const {
    std::set<std::string> known;
    for (const OperatorRule& rule : operator_rules()) known.emplace(rule.op_type);
    if (!quantizable) known.insert(std::begin(kOperatorPatterns), std::end(kOperatorPatterns));
    if (!quantizable) {
      for (const Node& node : view_.graph.nodes) known.insert(node.op_type);
    }
    for (const std::string& type : types) {
      if (known.contains(type)) continue;
      const std::vector<std::string> names(known.begin(), known.end());
      const char* const what = quantizable ? "quantizable operator type" : "operator type";
      throw InvalidInput(fmt::format("quantize: option '{}': {}", option,
                                     unknown_name_message(what, type, names)));
    }
  }

  void keep_operator_types(const QuantizeOptions& options) {
    require_known_types(options.op_types, keys::kOpTypes, true);
    require_known_types(options.extra_op_types, keys::kExtraOpTypes, true);
    require_known_types(options.exclude_op_types, keys::kExcludedOpTypes, false);
    std::set<std::string, std::less<>> kept(options.op_types.begin(), options.op_types.end());
    if (kept.empty()) {
      for (const std::string& type : default_op_types()) kept.insert(type);
    }
    kept.insert(options.extra_op_types.begin(), options.extra_op_types.end());
    if (has_integer_hard_activations(options)) kept.insert({"HardSigmoid", "HardSwish"});
    const std::set<std::string> excluded(options.exclude_op_types.begin(),
                                         options.exclude_op_types.end());
    for (int node = 0; node < view_.node_count(); ++node) {
      const Node& at = view_.node(node);
      if (excluded.contains(at.op_type)) {
        exclude(node,
                fmt::format("operator type '{}' is in {}", at.op_type, keys::kExcludedOpTypes));
      } else if (const std::string pattern = operator_pattern(view_.index, at);
                 excluded.contains(pattern)) {
        exclude(node, fmt::format("'{}' is in {}", pattern, keys::kExcludedOpTypes));
      } else if (const OperatorRule* rule = find_rule(at);
                 rule != nullptr && !kept.contains(at.op_type)) {
        exclude(node,
                options.op_types.empty() && !rule->by_default
                    ? fmt::format("{}; {} can add it", rule->drawback, keys::kExtraOpTypes)
                    : fmt::format("operator type '{}' is not in {}", at.op_type, keys::kOpTypes));
      }
    }
  }

  void keep_nodes(const std::vector<std::string>& names) {
    if (names.empty()) return;
    Flags others(reasons_.size(), true);
    for (const std::string& name : names)
      others[static_cast<std::size_t>(find_node(name, keys::kNodes))] = false;
    exclude_all(others, "not in nodes_to_quantize");
  }

  void exclude_nodes(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (!name.empty() && name[0] == '^') {
        exclude_matches(name);
      } else {
        exclude(find_node(name, keys::kExcludedNodes), "excluded by name");
      }
    }
  }

  void keep_float_nodes(const std::map<std::string, NodeFormat>& formats) {
    for (const auto& [name, format] : formats) {
      const int node = find_node(name, keys::kNodeFormats);
      if (format.keep_float) exclude(node, "kept float by its format");
    }
  }

  void exclude_matches(const std::string& pattern) {
    std::regex expression;
    try {
      expression = std::regex(pattern);
    } catch (const std::regex_error& error) {
      throw InvalidInput(fmt::format(
          "quantize: option '{}' holds the regular expression '{}' that cannot be read ({}), "
          "expected ECMAScript syntax",
          keys::kExcludedNodes, pattern, error.what()));
    }
    bool matched = false;
    for (const auto& [label, node] : labels_) {
      if (!std::regex_search(label, expression)) continue;
      matched = true;
      exclude(node, fmt::format("excluded by the expression '{}'", pattern));
    }
    if (!matched) {
      throw InvalidInput(fmt::format(
          "quantize: the regular expression '{}' in option '{}' matches none of the {} nodes, "
          "expected at least one",
          pattern, keys::kExcludedNodes, labels_.size()));
    }
  }

  void exclude_subgraphs(const std::vector<QuantizeOptions::Subgraph>& subgraphs) {
    for (const QuantizeOptions::Subgraph& subgraph : subgraphs) {
      std::vector<int> starts;
      std::vector<int> ends;
      for (const std::string& name : subgraph.starts)
        starts.push_back(find_node(name, keys::kExcludedSubgraphs));
      for (const std::string& name : subgraph.ends)
        ends.push_back(find_node(name, keys::kExcludedSubgraphs));
      Flags between = descendants(starts);
      const Flags before = ancestors(ends);
      for (std::size_t node = 0; node < between.size(); ++node)
        between[node] = between[node] && before[node];
      if (std::ranges::count(between, true) == 0) {
        throw InvalidInput(fmt::format(
            "quantize: option '{}' gives starts and ends with no path between them ('{}' to "
            "'{}'), expected at least one",
            keys::kExcludedSubgraphs, subgraph.starts.empty() ? "" : subgraph.starts[0],
            subgraph.ends.empty() ? "" : subgraph.ends[0]));
      }
      exclude_all(between, "inside an excluded subgraph");
    }
  }

  void exclude_before(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      std::vector<int> seeds;
      if (const auto node = labels_.find(name); node != labels_.end()) {
        for (const std::string& input : view_.node(node->second).inputs) {
          if (const auto producer = view_.index.producer(input)) seeds.push_back(*producer);
        }
      } else if (const auto producer = view_.index.producer(name)) {
        seeds.push_back(*producer);
      } else if (!view_.index.is_graph_input(name)) {
        throw_unknown(name, keys::kInputNodes, "tensor or node", true);
      }
      exclude_all(ancestors(seeds), fmt::format("before '{}' of {}", name, keys::kInputNodes));
    }
  }

  void exclude_after(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      std::vector<int> seeds;
      if (const auto node = labels_.find(name); node != labels_.end()) {
        for (const std::string& output : view_.node(node->second).outputs) {
          const auto readers = view_.index.consumers(output);
          seeds.insert(seeds.end(), readers.begin(), readers.end());
        }
      } else if (view_.index.producer(name) || view_.index.is_graph_input(name)) {
        const auto readers = view_.index.consumers(name);
        seeds.assign(readers.begin(), readers.end());
      } else {
        throw_unknown(name, keys::kOutputNodes, "tensor or node", true);
      }
      exclude_all(descendants(seeds), fmt::format("after '{}' of {}", name, keys::kOutputNodes));
    }
  }

  /// The seeds and all nodes that they depend on. Nodes are in topological order, so one pass is
  /// enough.
  [[nodiscard]] Flags ancestors(const std::vector<int>& seeds) const {
    Flags reached(reasons_.size(), false);
    for (const int seed : seeds) reached[static_cast<std::size_t>(seed)] = true;
    for (std::size_t node = reached.size(); node-- > 0;) {
      const auto depends = [&](const std::string& output) {
        return std::ranges::any_of(view_.index.consumers(output), [&](int reader) {
          return bool(reached[static_cast<std::size_t>(reader)]);
        });
      };
      if (!reached[node])
        reached[node] = std::ranges::any_of(view_.graph.nodes[node].outputs, depends);
    }
    return reached;
  }

  /// The seeds and all nodes that depend on them.
  [[nodiscard]] Flags descendants(const std::vector<int>& seeds) const {
    Flags reached(reasons_.size(), false);
    for (const int seed : seeds) reached[static_cast<std::size_t>(seed)] = true;
    for (std::size_t node = 0; node < reached.size(); ++node) {
      if (!reached[node]) continue;
      for (const std::string& output : view_.graph.nodes[node].outputs) {
        for (const int reader : view_.index.consumers(output))
          reached[static_cast<std::size_t>(reader)] = true;
      }
    }
    return reached;
  }

  const GraphView& view_;
  std::map<std::string, int, std::less<>> labels_;
  std::vector<std::string> reasons_;
};

}  // namespace

std::string operator_pattern(const GraphIndex& index, const Node& node) {
  if (node.is("MatMul"))
    return index.initializer(node.input(1)) == nullptr ? "MatMul/dynamic" : "MatMul/constant";
  if (!node.is("Conv")) return node.op_type;
  const Tensor* const weight = index.initializer(node.input(1));
  const auto layout = weight != nullptr ? weight_layout(node, weight->shape()) : std::nullopt;
  if (!layout) return node.op_type;
  if (layout->is_depthwise()) return "Conv/depthwise";
  return layout->kernel == 1 ? "Conv/pointwise" : "Conv/spatial";
}

std::vector<std::string> default_op_types() {
  std::vector<std::string> types;
  for (const OperatorRule& rule : operator_rules()) {
    if (rule.by_default) types.emplace_back(rule.op_type);
  }
  return types;
}

std::vector<std::string> excluded_by_options(const GraphView& view,
                                             const QuantizeOptions& options) {
  Scope scope(view);
  scope.apply(options);
  return scope.take_reasons();
}

}  // namespace quantsearch
