#include "quantsearch/pipeline/runnable.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/internal/runtime/failing_node.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

// A second failure is usually another node of the same kind. For a model with more failing nodes,
// the user should exclude them.
constexpr int kMostRebuilds = 4;

/// Finds the labels of the quantized model's nodes in a graph that the runtime made from it.
class NodeLabels {
 public:
  explicit NodeLabels(const QuantizedModel& quantized) {
    for (const LayerRecord& layer : quantized.layers) labels_.insert(layer.node);
  }

  /// The runtime keeps names but adds a suffix ("conv1_token_7", "conv1/duplicated") or a prefix
  /// ("fused conv1").
  [[nodiscard]] std::optional<std::string> of(const std::string& name) const {
    if (labels_.contains(name)) return name;
    for (const std::string_view ending : {"_token_", "/duplicated", "_nchwc"}) {
      if (const std::size_t at = name.rfind(ending);
          at != std::string::npos && labels_.contains(name.substr(0, at)))
        return name.substr(0, at);
    }
    constexpr std::string_view kFused = "fused ";
    if (name.starts_with(kFused)) return of(name.substr(kFused.size()));
    return std::nullopt;
  }

 private:
  std::set<std::string> labels_;
};

/// Returns the nodes that read the outputs of this node or write its inputs.
std::vector<int> neighbours(const Graph& graph, const GraphIndex& index, int node) {
  std::vector<int> found;
  const Node& at = graph.nodes[static_cast<std::size_t>(node)];
  for (const std::string& input : at.inputs) {
    if (const auto producer = index.producer(input)) found.push_back(*producer);
  }
  for (const std::string& output : at.outputs) {
    const auto readers = index.consumers(output);
    found.insert(found.end(), readers.begin(), readers.end());
  }
  return found;
}

/// Returns the labels of the labelled nodes nearest to `starts`, by breadth-first search; a start
/// that has a label is itself the nearest.
std::set<std::string> nearest(const Graph& graph, const NodeLabels& labels,
                              std::vector<int> starts) {
  const GraphIndex index(graph);
  std::set<int> seen(starts.begin(), starts.end());
  std::set<std::string> found;
  while (!starts.empty() && found.empty()) {
    std::vector<int> next;
    for (const int node : starts) {
      if (const auto label = labels.of(graph.nodes[static_cast<std::size_t>(node)].name))
        found.insert(*label);
      for (const int other : neighbours(graph, index, node)) {
        if (seen.insert(other).second) next.push_back(other);
      }
    }
    starts = std::move(next);
  }
  return found;
}

std::vector<int> nodes_of(const Graph& graph, const FailingNode& failing) {
  std::vector<int> found;
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    const Node& at = graph.nodes[node];
    if (at.name == failing.name && at.op_type == failing.op_type)
      found.push_back(static_cast<int>(node));
  }
  return found;
}

/// Returns the optimized graph if the model can be loaded, because most failing nodes are created
/// by the runtime.
Graph executed_graph(const Model& model) {
  try {
    return optimized_model(model).graph;
  } catch (const InvalidInput&) {
    return model.graph;
  }
}

/// Returns the nodes of `quantized` in `centre` and the first ones in every direction from there.
/// Nodes in between (Q/DQ pairs and nodes that are already float) do not stop the rewriting of the
/// runtime, so the search continues through them.
std::set<std::string> with_neighbours(const Graph& graph, const std::set<std::string>& centre,
                                      const std::set<std::string>& quantized) {
  const GraphIndex index(graph);
  std::set<std::string> result;
  std::vector<int> ahead;
  std::set<int> seen;
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    const std::string& name = graph.nodes[node].name;
    if (!centre.contains(name)) continue;
    if (quantized.contains(name)) result.insert(name);
    ahead.push_back(static_cast<int>(node));
    seen.insert(static_cast<int>(node));
  }
  while (!ahead.empty()) {
    const int at = ahead.back();
    ahead.pop_back();
    for (const int other : neighbours(graph, index, at)) {
      if (!seen.insert(other).second) continue;
      const std::string& name = graph.nodes[static_cast<std::size_t>(other)].name;
      if (quantized.contains(name)) {
        result.insert(name);
      } else {
        ahead.push_back(other);
      }
    }
  }
  return result;
}

}  // namespace

std::vector<std::string> nodes_that_do_not_run(const QuantizedModel& quantized,
                                               const std::string& message) {
  const std::optional<FailingNode> failing = failing_node(message);
  if (!failing) return {};
  const NodeLabels labels(quantized);
  const Graph executed = executed_graph(quantized.model);
  const std::set<std::string> centre = nearest(executed, labels, nodes_of(executed, *failing));
  std::set<std::string> on_integers;
  for (const LayerRecord& layer : quantized.layers) {
    if (layer.quantized) on_integers.insert(layer.node);
  }
  const std::set<std::string> nodes = with_neighbours(quantized.model.graph, centre, on_integers);
  return {nodes.begin(), nodes.end()};
}

std::vector<std::string> all_nodes(const std::vector<LeftFloat>& left_float) {
  std::vector<std::string> nodes;
  for (const LeftFloat& attempt : left_float)
    nodes.insert(nodes.end(), attempt.nodes.begin(), attempt.nodes.end());
  return nodes;
}

Settings with_excluded_nodes(Settings settings, const std::vector<std::string>& nodes) {
  if (nodes.empty()) return settings;
  Value::List excluded = effective_value("nodes_to_exclude", settings).as_list();
  excluded.insert(excluded.end(), nodes.begin(), nodes.end());
  settings["nodes_to_exclude"] = std::move(excluded);
  return settings;
}

std::string to_string(const LeftFloat& left_float) {
  constexpr std::size_t kNamed = 8;
  return fmt::format("{} stay float, because the quantized model did not run: {}",
                     some_of(left_float.nodes, kNamed), left_float.reason);
}

namespace {

/// Returns the message without a prefix such as "run: ", because the surrounding message names the
/// stage.
std::string without_stage(const std::string& message) {
  for (const std::string_view stage : {"run: ", "open session: "}) {
    if (message.starts_with(stage)) return message.substr(stage.size());
  }
  return message;
}

[[noreturn]] void give_up(const std::string& reason, const std::vector<LeftFloat>& left_float) {
  throw Unsupported(fmt::format(
      "check: the quantized model does not run ({}), also with {} of its nodes left float; leave "
      "out the nodes "
      "around the failing one with nodes_to_exclude, or operator types with op_types_to_exclude",
      reason, all_nodes(left_float).size()));
}

/// Builds with all nodes of `left_float` excluded. When nothing remains to be quantized, the
/// failure that led there is reported.
Candidate build_without(const std::vector<LeftFloat>& left_float, const Settings& settings,
                        const std::function<Candidate(const QuantizationConfig&)>& build) {
  try {
    return build(resolve(with_excluded_nodes(settings, all_nodes(left_float))));
  } catch (const InvalidInput&) {
    if (left_float.empty()) throw;
    give_up(left_float.back().reason, left_float);
  }
}

}  // namespace

RunnableCandidate build_runnable(const Settings& settings,
                                 const std::function<Candidate(const QuantizationConfig&)>& build,
                                 const std::function<void(Candidate&)>& run) {
  RunnableCandidate made;
  for (int rebuilds = 0;; ++rebuilds) {
    made.candidate = build_without(made.left_float, settings, build);
    std::string reason;
    try {
      run(made.candidate);
      return made;
    } catch (const Error& error) {
      if (!failing_node(error.what())) throw;
      reason = without_stage(error.what());
    }
    const std::vector<std::string> nodes = nodes_that_do_not_run(*made.candidate.quantized, reason);
    if (nodes.empty() || rebuilds == kMostRebuilds) give_up(reason, made.left_float);
    made.left_float.push_back({.nodes = nodes, .reason = reason});
  }
}

}  // namespace quantsearch
