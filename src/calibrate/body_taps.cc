#include "calibrate/body_taps.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "quantsearch/internal/model/bodies.h"

namespace quantsearch {

namespace {

using Names = std::set<std::string, std::less<>>;

/// A tensor of a body, and the tensor `name` of the current graph that holds its values.
struct Exposed {
  std::string tensor;
  std::string name;
  DataType type = DataType::undefined;
  int iteration_axes = 0;
};

Node node_of(std::string op_type, std::vector<std::string> inputs, std::string output) {
  return Node{.op_type = std::move(op_type),
              .domain = "",
              .name = "",
              .inputs = std::move(inputs),
              .outputs = {std::move(output)},
              .attributes = {},
              .extra = ""};
}

ValueInfo value_of(const std::string& name, DataType type,
                   std::optional<std::vector<Dimension>> dimensions = std::nullopt) {
  return {.name = name, .type = type, .dimensions = std::move(dimensions), .extra = ""};
}

/// One body of a node, taken out of the graph to be changed.
struct Part {
  BodyPlace place;
  Graph body;
  std::vector<Exposed> exposed;
};

class Tapper {
 public:
  Tapper(NameAllocator& names, const Names& wanted) : names_(names), wanted_(wanted) {}

  /// Adds outputs to the nodes of model.graph that have bodies, and returns what the outputs hold.
  std::vector<Exposed> tap(Model& model) {
    std::vector<Exposed> found;
    const std::vector<BodyPlace> places = bodies_of(model.graph);
    for (std::size_t first = 0; first < places.size();) {
      std::vector<Part> parts;
      const int node = places[first].node;
      for (; first < places.size() && places[first].node == node; ++first)
        parts.push_back(part_at(model, places[first]));
      if (std::ranges::all_of(parts, [](const Part& part) { return part.exposed.empty(); }))
        continue;
      const std::vector<Exposed> outputs = attach(model.graph, node, parts);
      found.insert(found.end(), outputs.begin(), outputs.end());
      for (Part& part : parts) set_body(model.graph, part.place, std::move(part.body));
    }
    return found;
  }

 private:
  Part part_at(const Model& model, const BodyPlace& place) {
    OpenBody opened = open_body(model, place);
    const Model typed = infer_shapes(opened.model);
    const GraphIndex index(typed.graph);
    Part part{.place = place, .body = {}, .exposed = tap(opened.model)};
    part.body = close_body(std::move(opened));
    const auto expose = [&](const std::string& tensor) {
      const ValueInfo* const value = index.value(tensor);
      if (!wanted_.contains(tensor) || value == nullptr || !is_floating(value->type)) return;
      part.exposed.push_back(
          {.tensor = tensor, .name = tensor, .type = value->type, .iteration_axes = 0});
    };
    for (const ValueInfo& input : part.body.inputs) expose(input.name);
    for (const Node& node : body_at(model.graph, place).nodes)
      std::ranges::for_each(node.outputs, expose);
    return part;
  }

  /// Adds outputs to the node for everything that its parts expose, and returns them.
  std::vector<Exposed> attach(Graph& graph, int node, std::vector<Part>& parts) {
    Node& owner = graph.nodes[static_cast<std::size_t>(node)];
    std::vector<Exposed> outputs;
    for (std::size_t at = 0; at < parts.size(); ++at) {
      for (const Exposed& exposed : parts[at].exposed) {
        const std::string name = names_.unique(exposed.tensor + "_tap");
        int iteration_axes = exposed.iteration_axes;
        if (owner.is("If")) {
          attach_to_if(owner, name, parts, at, exposed);
        } else if (owner.is("Loop")) {
          attach_to_loop(graph, owner, name, parts[at].body, exposed);
          iteration_axes = 0;
        } else if (owner.is("Scan")) {
          attach_to_scan(owner, name, parts[at].body, exposed);
          ++iteration_axes;
        } else {
          continue;  // other nodes with bodies have no output for it
        }
        outputs.push_back({.tensor = exposed.tensor,
                           .name = name,
                           .type = exposed.type,
                           .iteration_axes = iteration_axes});
      }
    }
    return outputs;
  }

  /// The branches that do not contain the tensor return an empty tensor instead.
  void attach_to_if(Node& owner, const std::string& name, std::vector<Part>& parts,
                    std::size_t taken, const Exposed& exposed) {
    for (std::size_t at = 0; at < parts.size(); ++at) {
      const std::string inner = names_.unique(exposed.tensor + "_given");
      Node giver = node_of("Identity", {exposed.name}, inner);
      if (at != taken) {
        giver = node_of("Constant", {}, inner);
        giver.set_attribute("value", Tensor(exposed.type, {0}));
      }
      parts[at].body.nodes.push_back(std::move(giver));
      parts[at].body.outputs.push_back(value_of(inner, exposed.type));
    }
    owner.outputs.push_back(name);
  }

  /// The values are collected in a loop-carried tensor, to which each iteration appends its own.
  void attach_to_loop(Graph& graph, Node& owner, const std::string& name, Graph& body,
                      const Exposed& exposed) {
    const std::string start = names_.unique(exposed.tensor + "_start");
    const std::string so_far = names_.unique(exposed.tensor + "_so_far");
    const std::string flat = names_.unique(exposed.tensor + "_flat");
    const std::string grown = names_.unique(exposed.tensor + "_grown");
    const std::string row = names_.unique(exposed.tensor + "_row");
    const std::size_t carried = owner.inputs.size() - 2;
    graph.initializers.push_back(
        {.name = start, .tensor = std::make_shared<const Tensor>(exposed.type, Shape{0})});
    body.initializers.push_back({.name = row,
                                 .tensor = std::make_shared<const Tensor>(Tensor::of<std::int64_t>(
                                     {1}, std::vector<std::int64_t>{-1}))});
    body.nodes.push_back(node_of("Reshape", {exposed.name, row}, flat));
    Node concat = node_of("Concat", {so_far, flat}, grown);
    concat.set_attribute("axis", std::int64_t{0});
    body.nodes.push_back(std::move(concat));
    const std::vector<Dimension> open_row(1);
    const auto at = static_cast<std::ptrdiff_t>(carried);
    owner.inputs.push_back(start);
    body.inputs.insert(body.inputs.begin() + 2 + at, value_of(so_far, exposed.type, open_row));
    body.outputs.insert(body.outputs.begin() + 1 + at, value_of(grown, exposed.type, open_row));
    if (owner.outputs.size() < carried) owner.outputs.resize(carried);
    owner.outputs.insert(owner.outputs.begin() + at, name);
  }

  void attach_to_scan(Node& owner, const std::string& name, Graph& body, const Exposed& exposed) {
    const std::string inner = names_.unique(exposed.tensor + "_given");
    body.nodes.push_back(node_of("Identity", {exposed.name}, inner));
    body.outputs.push_back(value_of(inner, exposed.type));
    owner.outputs.resize(body.outputs.size() - 1);
    owner.outputs.push_back(name);
    for (const char* const of_outputs : {"scan_output_axes", "scan_output_directions"}) {
      if (owner.find_attribute(of_outputs) == nullptr) continue;
      std::vector<std::int64_t> values = owner.ints_attribute(of_outputs, {});
      values.push_back(0);
      owner.set_attribute(of_outputs, std::move(values));
    }
  }

  NameAllocator& names_;
  const Names& wanted_;
};

void collect_tensors(const Graph& graph, std::vector<std::string>& tensors) {
  for (const BodyPlace& place : bodies_of(graph)) {
    const Graph& body = body_at(graph, place);
    for (const ValueInfo& input : body.inputs) tensors.push_back(input.name);
    for (const Node& node : body.nodes)
      tensors.insert(tensors.end(), node.outputs.begin(), node.outputs.end());
    collect_tensors(body, tensors);
  }
}

void collect_left_sides(const Graph& graph, Names& found) {
  for (const Node& node : graph.nodes) {
    if (node.is("MatMul")) found.emplace(node.input(0));
  }
  for (const BodyPlace& place : bodies_of(graph)) collect_left_sides(body_at(graph, place), found);
}

}  // namespace

TappedBodies tap_bodies(const Model& model, const std::vector<std::string>& tensors) {
  TappedBodies tapped{.model = model, .taps = {}};
  const std::vector<std::string> inside = body_tensors(model.graph);
  const Names known(inside.begin(), inside.end());
  Names wanted;
  std::ranges::copy_if(tensors, std::inserter(wanted, wanted.end()),
                       [&](const std::string& tensor) { return known.contains(tensor); });
  if (wanted.empty()) return tapped;
  NameAllocator names(model.graph);
  for (const Exposed& exposed : Tapper(names, wanted).tap(tapped.model))
    tapped.taps[exposed.tensor] = {.name = exposed.name, .iteration_axes = exposed.iteration_axes};
  return tapped;
}

std::vector<std::string> body_tensors(const Graph& graph) {
  std::vector<std::string> tensors;
  collect_tensors(graph, tensors);
  return tensors;
}

Names matmul_left_sides(const Graph& graph) {
  Names found;
  collect_left_sides(graph, found);
  return found;
}

}  // namespace quantsearch
