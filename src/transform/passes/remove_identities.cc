#include <fmt/core.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "transform/pass.h"

namespace quantsearch {

namespace {

DataType type_of(const GraphIndex& index, std::string_view tensor) {
  if (const Tensor* constant = index.initializer(tensor)) return constant->type();
  const ValueInfo* value = index.value(tensor);
  return value == nullptr ? DataType::undefined : value->type;
}

bool is_read(const GraphIndex& index, std::string_view tensor) {
  return !index.consumers(tensor).empty() || index.is_graph_output(tensor);
}

// Why a Dropout is more than a copy of its input; empty when it is not. Before opset 12 it cannot
// train.
std::string dropout_objection(const Node& node, const GraphIndex& index) {
  if (node.outputs.size() > 1 && !node.outputs[1].empty() && is_read(index, node.outputs[1]))
    return "its mask is used";
  const std::string_view training = node.input(2);
  if (training.empty()) return "";
  const Tensor* constant = index.is_graph_input(training) ? nullptr : index.initializer(training);
  if (constant == nullptr) return "whether it trains is not constant";
  return constant->size() == 1 && constant->values<bool>()[0] ? "it trains" : "";
}

bool is_cast_to_same_type(const Node& node, const GraphIndex& index) {
  if (!node.is("Cast")) return false;
  const DataType type = type_of(index, node.input(0));
  return type != DataType::undefined &&
         node.int_attribute("to", 0) == static_cast<std::int64_t>(type);
}

// Removes copies one by one. Graph outputs keep their names.
class Bypass {
 public:
  explicit Bypass(Graph& graph) : graph_(graph) {
    for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
      for (std::size_t slot = 0; slot < graph.nodes[index].outputs.size(); ++slot) {
        makers_.insert_or_assign(graph.nodes[index].outputs[slot], Slot{index, slot});
      }
    }
    for (const ValueInfo& output : graph.outputs) outputs_.insert(output.name);
  }

  /// Removes the node at `index`, whose first output equals its first input, if names allow.
  bool apply(std::size_t index) {
    const std::string from = graph_.nodes[index].outputs[0];
    const std::string to = graph_.nodes[index].inputs[0];
    if (!outputs_.contains(from)) {
      replace_reads(graph_, from, to);
    } else if (const auto maker = makers_.find(to);
               maker != makers_.end() && !outputs_.contains(to)) {
      // The graph output keeps its name, so the producer takes it over.
      const Slot slot = maker->second;
      graph_.nodes[slot.node].outputs[slot.output] = from;
      replace_reads(graph_, to, from);
      makers_.insert_or_assign(from, slot);
    } else {
      return false;
    }
    removed_.insert(index);
    return true;
  }

  void finish() {
    std::vector<Node> kept;
    for (std::size_t index = 0; index < graph_.nodes.size(); ++index) {
      if (!removed_.contains(index)) kept.push_back(std::move(graph_.nodes[index]));
    }
    graph_.nodes = std::move(kept);
    remove_unused_values(graph_);
  }

 private:
  struct Slot {
    std::size_t node;
    std::size_t output;
  };
  Graph& graph_;
  std::map<std::string, Slot, std::less<>> makers_;
  std::set<std::string, std::less<>> outputs_;
  std::set<std::size_t> removed_;
};

}  // namespace

PassResult remove_identities(Model model) {
  std::vector<std::string> notes;
  std::vector<std::size_t> candidates;
  {
    const GraphIndex index(model.graph);
    for (std::size_t position = 0; position < model.graph.nodes.size(); ++position) {
      const Node& node = model.graph.nodes[position];
      if (node.inputs.empty() || node.outputs.empty() || node.inputs[0].empty() ||
          node.outputs[0].empty())
        continue;
      if (node.is("Dropout")) {
        if (const std::string objection = dropout_objection(node, index); !objection.empty()) {
          notes.push_back(fmt::format(
              "{} stays: {}", describe_node(model.graph, static_cast<int>(position)), objection));
          continue;
        }
      } else if (!node.is("Identity") && !is_cast_to_same_type(node, index)) {
        continue;
      }
      candidates.push_back(position);
    }
  }
  if (candidates.empty()) return {std::move(model), std::move(notes)};
  Bypass bypass(model.graph);
  for (const std::size_t position : candidates) {
    const std::string name = describe_node(model.graph, static_cast<int>(position));
    if (bypass.apply(position)) {
      notes.push_back(fmt::format("{} removed", name));
    } else {
      notes.push_back(fmt::format(
          "{} stays: it names a graph output apart from an input, constant or other output", name));
    }
  }
  bypass.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
