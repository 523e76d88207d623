#include "pipeline/user_names.h"

#include <fmt/core.h>

#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string_view>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/model/bodies.h"
#include "quantsearch/internal/quantize/option_keys.h"

namespace quantsearch {

namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kIncludedLayers = "IncludeLayers";
constexpr std::string_view kExcludedLayers = "ExcludeLayers";
constexpr std::string_view kOverrides = "TensorQuantOverrides";

class Translation {
 public:
  explicit Translation(const Simplified& simplified) : names_(simplified.names) {
    const Graph& graph = simplified.model.graph;
    add_bodies(graph);
    for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
      labels_.insert(node_label(graph, node));
      const Node& at = graph.nodes[static_cast<std::size_t>(node)];
      for (const std::string& output : at.outputs) makers_.emplace(output, node_label(graph, node));
      for (const std::string& input : at.inputs) readers_.emplace(input, node_label(graph, node));
    }
  }

  Names nodes(const Names& written, std::string_view key) {
    Names now;
    for (const std::string& name : written) {
      if (auto found = node(name, key)) now.push_back(std::move(*found));
    }
    return now;
  }

  /// Translates a list whose names are the only nodes to quantize. Throws InvalidInput when none of
  /// them is left.
  Names nodes_asked_for(const Names& written, std::string_view key) {
    Names now = nodes(written, key);
    if (now.empty() && !written.empty()) {
      throw InvalidInput(fmt::format(
          "quantize: option '{}' names only nodes of which simplification left nothing ('{}'), "
          "expected at least one that computes",
          key, written.front()));
    }
    return now;
  }

  Names nodes_and_patterns(const Names& written, std::string_view key) {
    Names now;
    for (const std::string& name : written) {
      if (name.starts_with('^')) {
        add_matches(name, key, now);
      } else if (auto found = node(name, key)) {
        now.push_back(std::move(*found));
      }
    }
    return now;
  }

  /// Translates names of tensors or nodes.
  Names tensors_or_nodes(const Names& written, std::string_view key) {
    Names now;
    for (const std::string& name : written) {
      if (labels_.contains(name)) {
        now.push_back(name);
      } else if (const auto copy = names_.copies.find(name); copy != names_.copies.end()) {
        note(key, name, fmt::format("it passed on '{}', which stands for it", copy->second));
        now.push_back(copy->second);
      } else if (names_.nodes.contains(name)) {
        if (auto found = node(name, key)) now.push_back(std::move(*found));
      } else if (auto found = tensor(name, key)) {
        now.push_back(std::move(found->name));
      }
    }
    return now;
  }

  /// Translates the first or last nodes of a subgraph. A copy is replaced by the nodes that read or
  /// make its tensor.
  Names ends(const Names& written, std::string_view key, bool are_starts) {
    Names now;
    for (const std::string& name : written) {
      const auto copy = names_.copies.find(name);
      if (labels_.contains(name) || copy == names_.copies.end()) {
        if (auto found = node(name, key)) now.push_back(std::move(*found));
        continue;
      }
      note(key, name, fmt::format("its neighbours at '{}' stand for it", copy->second));
      const auto& neighbours = are_starts ? readers_ : makers_;
      const auto [first, last] = neighbours.equal_range(copy->second);
      for (auto neighbour = first; neighbour != last; ++neighbour) now.push_back(neighbour->second);
    }
    return now;
  }

  template <typename Value>
  std::map<std::string, Value> by_node(std::map<std::string, Value> written, std::string_view key) {
    std::map<std::string, Value> now;
    for (auto& [name, value] : written) {
      // An entry for the node itself takes precedence over entries for nodes merged into it.
      if (labels_.contains(name))
        now.insert_or_assign(name, std::move(value));
      else if (auto found = node(name, key))
        now.emplace(std::move(*found), std::move(value));
    }
    return now;
  }

  template <typename Value>
  std::map<std::string, Value> by_tensor(std::map<std::string, Value> written,
                                         std::string_view key) {
    std::map<std::string, Value> now;
    for (auto& [name, value] : written) {
      const std::optional<TensorNow> found = tensor(name, key);
      if (!found) continue;
      if (found->has_same_values)
        now.emplace(found->name, std::move(value));
      else
        note(key, name,
             fmt::format("its values are not computed any more ('{}' is), so what is "
                         "asked for it has no effect",
                         found->name));
    }
    return now;
  }

  [[nodiscard]] Names take_notes() { return {notes_.begin(), notes_.end()}; }

 private:
  /// Adds the labels of nodes in bodies, because a name is unique in the whole model, including
  /// bodies.
  void add_bodies(const Graph& graph) {
    for (const BodyPlace& place : bodies_of(graph)) {
      const Graph& body = body_at(graph, place);
      for (int node = 0; node < static_cast<int>(body.nodes.size()); ++node)
        labels_.insert(node_label(body, node));
      add_bodies(body);
    }
  }

  void note(std::string_view key, const std::string& name, const std::string& what) {
    notes_.insert(fmt::format("{}: simplification took out '{}': {}", key, name, what));
  }

  std::optional<std::string> node(const std::string& name, std::string_view key) {
    const auto found = labels_.contains(name) ? names_.nodes.end() : names_.nodes.find(name);
    if (found == names_.nodes.end()) return name;
    note(key, name,
         found->second ? fmt::format("it is part of '{}', which stands for it", *found->second)
                       : "nothing of it is left to quantize");
    return found->second;
  }

  std::optional<TensorNow> tensor(const std::string& name, std::string_view key) {
    const auto found = names_.tensors.find(name);
    if (found == names_.tensors.end()) return TensorNow{.name = name};
    if (!found->second)
      note(key, name, "nothing of it is left to quantize");
    else if (found->second->has_same_values)
      note(key, name, fmt::format("'{}' has its values and stands for it", found->second->name));
    return found->second;
  }

  /// Adds the expression itself if it matches a node of the simplified model, and every node that
  /// contains a merged node matched by it.
  void add_matches(const std::string& pattern, std::string_view key, Names& now) {
    std::set<std::string> stand_ins;
    bool matches_gone = false;
    bool matches_label = false;
    try {
      const std::regex expression(pattern);
      for (const auto& [name, unused] : names_.nodes) {
        if (!std::regex_search(name, expression)) continue;
        matches_gone = true;
        if (auto found = node(name, key)) stand_ins.insert(std::move(*found));
      }
      for (const std::string& label : labels_)
        matches_label = matches_label || std::regex_search(label, expression);
    } catch (const std::regex_error&) {
      matches_gone = false;  // the stage reports what is wrong with it
    }
    if (matches_label || !matches_gone) now.push_back(pattern);
    now.insert(now.end(), stand_ins.begin(), stand_ins.end());
  }

  const NamesAsRead& names_;
  std::set<std::string, std::less<>> labels_;
  std::multimap<std::string, std::string, std::less<>> makers_;
  std::multimap<std::string, std::string, std::less<>> readers_;
  std::set<std::string> notes_;
};

}  // namespace

NamedConfig with_simplified_names(QuantizationConfig config, const Simplified& simplified) {
  Translation names(simplified);
  QuantizeOptions& options = config.quantize;
  options.nodes = names.nodes_asked_for(options.nodes, keys::kNodes);
  options.exclude_nodes = names.nodes_and_patterns(options.exclude_nodes, keys::kExcludedNodes);
  options.input_tensors = names.tensors_or_nodes(options.input_tensors, keys::kInputNodes);
  options.output_tensors = names.tensors_or_nodes(options.output_tensors, keys::kOutputNodes);
  for (QuantizeOptions::Subgraph& subgraph : options.exclude_subgraphs) {
    subgraph.starts = names.ends(subgraph.starts, keys::kExcludedSubgraphs, true);
    subgraph.ends = names.ends(subgraph.ends, keys::kExcludedSubgraphs, false);
  }
  options.node_formats = names.by_node(std::move(options.node_formats), keys::kNodeFormats);
  options.overrides = names.by_tensor(std::move(options.overrides), kOverrides);
  config.ranges.tensors = names.by_tensor(std::move(config.ranges.tensors), kOverrides);
  if (config.precision) {
    PrecisionOptions& precision = *config.precision;
    precision.include_layers = names.nodes_asked_for(precision.include_layers, kIncludedLayers);
    precision.exclude_layers = names.nodes(precision.exclude_layers, kExcludedLayers);
  }
  return {.config = std::move(config), .notes = names.take_notes()};
}

}  // namespace quantsearch
