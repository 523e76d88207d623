#include "quantsearch/internal/model/bodies.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "model/subgraphs.h"

namespace quantsearch {

namespace {

const Node& node_at(const Graph& graph, const BodyPlace& place) {
  return graph.nodes[static_cast<std::size_t>(place.node)];
}

const std::shared_ptr<const Graph>* graph_in(const Attribute& attribute) {
  return std::get_if<std::shared_ptr<const Graph>>(&attribute.value);
}

/// A tensor of the outer graph as an input of the body.
ValueInfo described(const GraphIndex& outside, std::string_view tensor) {
  const ValueInfo* const known = outside.value(tensor);
  ValueInfo input = known == nullptr ? ValueInfo{} : *known;
  input.name = tensor;
  return input;
}

}  // namespace

std::vector<BodyPlace> bodies_of(const Graph& graph) {
  std::vector<BodyPlace> places;
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    for (const Attribute& attribute : graph.nodes[static_cast<std::size_t>(node)].attributes) {
      if (graph_in(attribute) != nullptr)
        places.push_back({.node = node, .attribute = attribute.name});
    }
  }
  return places;
}

const Graph& body_at(const Graph& graph, const BodyPlace& place) {
  const Attribute* const attribute = node_at(graph, place).find_attribute(place.attribute);
  return **graph_in(*attribute);
}

void set_body(Graph& graph, const BodyPlace& place, Graph body) {
  graph.nodes[static_cast<std::size_t>(place.node)].set_attribute(
      place.attribute, std::make_shared<const Graph>(std::move(body)));
}

std::string body_label(const Graph& graph, const BodyPlace& place) {
  return node_label(graph, place.node) + "/" + place.attribute;
}

OpenBody open_body(const Model& owner, const BodyPlace& place) {
  const GraphIndex outside(owner.graph);
  OpenBody opened{.model = {.ir_version = owner.ir_version,
                            .opsets = owner.opsets,
                            .graph = body_at(owner.graph, place),
                            .metadata = {},
                            .extra = owner.extra},
                  .captured = {},
                  .shared_constants = {}};
  std::set<std::string, std::less<>> seen;
  for (const std::string_view read : model_io::outer_reads(opened.model.graph)) {
    if (!seen.emplace(read).second) continue;
    const auto constant = outside.shared_initializer(read);
    if (constant != nullptr && !outside.is_graph_input(read)) {
      opened.shared_constants.push_back({.name = std::string(read), .tensor = constant});
    } else {
      opened.captured.emplace_back(read);
    }
  }
  Graph& graph = opened.model.graph;
  for (const std::string& tensor : opened.captured)
    graph.inputs.push_back(described(outside, tensor));
  std::ranges::copy(opened.shared_constants, std::back_inserter(graph.initializers));
  return opened;
}

Graph close_body(OpenBody body) {
  Graph graph = std::move(body.model.graph);
  std::erase_if(graph.inputs, [&](const ValueInfo& input) {
    return std::ranges::find(body.captured, input.name) != body.captured.end();
  });
  std::erase_if(graph.initializers, [&](const Initializer& initializer) {
    return std::ranges::any_of(body.shared_constants, [&](const Initializer& shared) {
      return shared.name == initializer.name && shared.tensor == initializer.tensor;
    });
  });
  return graph;
}

namespace {

/// The names of the tensors that a graph defines, in its order.
std::vector<std::string> defined_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueInfo& input : graph.inputs) names.push_back(input.name);
  for (const Initializer& initializer : graph.initializers) names.push_back(initializer.name);
  for (const Node& node : graph.nodes) {
    std::ranges::copy_if(node.outputs, std::back_inserter(names),
                         [](const std::string& output) { return !output.empty(); });
  }
  return names;
}

using Renaming = std::map<std::string, std::string, std::less<>>;

void rename(std::string& name, const Renaming& names) {
  const auto found = names.find(name);
  if (found != names.end()) name = found->second;
}

/// Gives the outputs of the body the names of the If's outputs. An Identity copies an output that
/// no node of the body produces, or that has already been renamed for another output of the If.
void give_output_names(Graph& body, const std::vector<std::string>& outputs) {
  std::set<std::string, std::less<>> made;
  for (const Node& node : body.nodes) made.insert(node.outputs.begin(), node.outputs.end());
  Renaming renamed;
  std::vector<Node> copies;
  for (std::size_t output = 0; output < outputs.size(); ++output) {
    const std::string& from = body.outputs[output].name;
    if (outputs[output].empty()) continue;
    if (made.contains(from) && renamed.emplace(from, outputs[output]).second) continue;
    copies.push_back(Node{.op_type = "Identity",
                          .domain = "",
                          .name = "",
                          .inputs = {from},
                          .outputs = {outputs[output]},
                          .attributes = {},
                          .extra = ""});
  }
  rename_tensors(body, renamed);
  for (Node& copy : copies) {
    rename(copy.inputs[0], renamed);
    body.nodes.push_back(std::move(copy));
  }
}

void append(auto& list, auto& more) {
  list.insert(list.end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
}

}  // namespace

void rename_tensors(Graph& graph, const Renaming& names) {
  if (names.empty()) return;
  for (auto* const list : {&graph.inputs, &graph.outputs, &graph.values}) {
    for (ValueInfo& value : *list) rename(value.name, names);
  }
  for (Initializer& initializer : graph.initializers) rename(initializer.name, names);
  for (Node& node : graph.nodes) {
    for (std::string& input : node.inputs) rename(input, names);
    for (std::string& output : node.outputs) rename(output, names);
    for (Attribute& attribute : node.attributes) {
      auto* const inner = std::get_if<std::shared_ptr<const Graph>>(&attribute.value);
      if (inner == nullptr) continue;
      Renaming seen;
      for (const std::string_view read : model_io::outer_reads(**inner)) {
        if (const auto found = names.find(read); found != names.end()) seen.insert(*found);
      }
      if (seen.empty()) continue;
      Graph changed = **inner;
      rename_tensors(changed, seen);
      *inner = std::make_shared<const Graph>(std::move(changed));
    }
  }
}

namespace {

/// Visits the bodies of a graph and renames their tensors and nodes whose names are taken.
class NameKeeper {
 public:
  /// `allocator` must be aware of every name of the model.
  explicit NameKeeper(NameAllocator& allocator) : allocator_(allocator) {}

  void take_tensors(const std::vector<std::string>& names) {
    tensors_.insert(names.begin(), names.end());
  }
  void take_names_of(const Graph& graph) {
    take_tensors(defined_names(graph));
    for (const Node& node : graph.nodes) nodes_.insert(node.name);
  }

  /// The graph's own names must be taken already. Returns how many names of bodies have changed so
  /// far.
  int visit(Graph& graph) {
    for (const BodyPlace& place : bodies_of(graph)) {
      Graph body = body_at(graph, place);
      const int before = changed_;
      keep_apart(body, body_label(graph, place));
      visit(body);
      if (changed_ > before) set_body(graph, place, std::move(body));
    }
    return changed_;
  }

  /// Renames tensors and nodes of `graph` whose names are taken, and takes the names of the others.
  void keep_apart(Graph& graph, const std::string& label) {
    Renaming renamed;
    for (const std::string& name : defined_names(graph)) {
      if (tensors_.insert(name).second) continue;
      renamed.emplace(name, fresh(tensors_, label, name));
    }
    rename_tensors(graph, renamed);
    changed_ += static_cast<int>(renamed.size());
    for (int index = 0; index < static_cast<int>(graph.nodes.size()); ++index) {
      Node& node = graph.nodes[static_cast<std::size_t>(index)];
      if (!node.name.empty() && nodes_.insert(node.name).second) continue;
      node.name = fresh(nodes_, label, node_label(graph, index));
      ++changed_;
    }
  }

 private:
  using Names = std::set<std::string, std::less<>>;

  std::string fresh(Names& taken, const std::string& label, const std::string& name) {
    std::string unique = allocator_.unique(label + "/" + name);
    taken.insert(unique);
    return unique;
  }

  NameAllocator& allocator_;
  Names tensors_;
  Names nodes_;
  int changed_ = 0;
};

void take_all_names(const Graph& graph, NameKeeper& keeper) {
  keeper.take_names_of(graph);
  for (const BodyPlace& place : bodies_of(graph)) take_all_names(body_at(graph, place), keeper);
}

}  // namespace

std::vector<std::string> names_read(const Node& node) {
  std::vector<std::string> names;
  model_io::for_each_read(node, [&](std::string_view name) { names.emplace_back(name); });
  return names;
}

void inline_body(Graph& graph, const BodyPlace& place) {
  NameAllocator allocator(graph);
  NameKeeper keeper(allocator);
  const Node owner = node_at(graph, place);
  const std::string label = body_label(graph, place);
  Graph body = body_at(graph, place);
  graph.nodes.erase(graph.nodes.begin() + place.node);
  keeper.take_names_of(graph);
  keeper.take_tensors(owner.outputs);
  for (const BodyPlace& other : bodies_of(graph)) take_all_names(body_at(graph, other), keeper);
  keeper.keep_apart(body, label);
  keeper.visit(body);
  give_output_names(body, owner.outputs);
  // The value infos of the node's outputs had to hold for both branches.
  std::erase_if(graph.values, [&](const ValueInfo& value) {
    return std::ranges::find(owner.outputs, value.name) != owner.outputs.end();
  });
  graph.nodes.insert(graph.nodes.begin() + place.node, std::make_move_iterator(body.nodes.begin()),
                     std::make_move_iterator(body.nodes.end()));
  append(graph.initializers, body.initializers);
  append(graph.values, body.values);
}

int make_body_names_unique(Graph& graph) {
  NameAllocator allocator(graph);
  NameKeeper keeper(allocator);
  keeper.take_names_of(graph);
  return keeper.visit(graph);
}

}  // namespace quantsearch
