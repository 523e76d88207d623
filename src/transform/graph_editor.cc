#include "transform/graph_editor.h"

#include <algorithm>
#include <set>
#include <utility>

namespace quantsearch {

GraphEditor::GraphEditor(Graph& graph)
    : graph_(graph), index_(graph), names_(graph), removed_(graph.nodes.size()) {
  for (std::size_t position = 0; position < graph.initializers.size(); ++position) {
    initializers_.emplace(graph.initializers[position].name, position);
  }
}

const Tensor* GraphEditor::constant(std::string_view tensor) const {
  const auto found = initializers_.find(tensor);
  if (found == initializers_.end() || index_.is_graph_input(tensor)) return nullptr;
  return graph_.initializers[found->second].tensor.get();
}

std::optional<int> GraphEditor::producer(std::string_view tensor) const {
  const auto merged = made_by_.find(tensor);
  return merged == made_by_.end() ? index_.producer(tensor) : std::optional<int>(merged->second);
}

int GraphEditor::reads_by(int index, std::string_view tensor) const {
  return static_cast<int>(
      std::ranges::count(graph_.nodes[static_cast<std::size_t>(index)].inputs, tensor));
}

bool GraphEditor::has_one_reader(std::string_view tensor) const {
  const auto readers = index_.consumers(tensor);
  // A reader without the tensor among its inputs reads it in a subgraph, possibly several times.
  return readers.size() == 1 && !index_.is_graph_output(tensor) &&
         reads_by(readers[0], tensor) == 1;
}

std::optional<int> GraphEditor::only_reader(std::string_view tensor) const {
  return has_one_reader(tensor) ? std::optional(index_.consumers(tensor)[0]) : std::nullopt;
}

std::string GraphEditor::add_constant(std::string_view wanted, Tensor tensor) {
  std::string name = names_.unique(wanted);
  initializers_.emplace(name, graph_.initializers.size());
  graph_.initializers.push_back(
      {.name = name, .tensor = std::make_shared<const Tensor>(std::move(tensor))});
  return name;
}

void GraphEditor::set_constant(int index, std::size_t input, std::string_view wanted,
                               Tensor tensor) {
  Node& reader = node(index);
  if (reader.inputs.size() <= input) reader.inputs.resize(input + 1);
  const std::string before = reader.inputs[input];
  const auto found = initializers_.find(before);
  // Constants added during this walk are not in the index and have one reader, the one they were
  // added for.
  const bool is_ours = found != initializers_.end() && !is_graph_output(before) &&
                       (has_one_reader(before) || index_.initializer(before) == nullptr);
  if (is_ours) {
    graph_.initializers[found->second].tensor = std::make_shared<const Tensor>(std::move(tensor));
  } else {
    std::string name =
        add_constant(before.empty() ? wanted : std::string_view(before), std::move(tensor));
    node(index).inputs[input] = std::move(name);
  }
}

void GraphEditor::merge(int merged, int into) {
  const std::string output = node(merged).outputs[0];
  node(into).outputs[0] = output;
  made_by_.insert_or_assign(output, into);
  remove(merged);
}

void GraphEditor::insert_after(int index, Node fresh) { fresh_.emplace(index, std::move(fresh)); }

void GraphEditor::replace(int index, std::vector<Node> sequence) {
  for (std::size_t at = 1; at < sequence.size(); ++at) {
    insert_after(index, std::move(sequence[at]));
  }
  node(index) = std::move(sequence[0]);
}

bool GraphEditor::is_constant_expression(std::string_view tensor) const {
  std::set<std::string_view> seen;
  std::vector<std::string_view> open = {tensor};
  while (!open.empty()) {
    const std::string_view next = open.back();
    open.pop_back();
    if (next.empty() || constant(next) != nullptr || !seen.insert(next).second) continue;
    const auto maker = producer(next);
    if (!maker) return false;
    const Node& made_by = graph_.nodes[static_cast<std::size_t>(*maker)];
    // A node without inputs that is not a Constant draws random numbers.
    if (made_by.inputs.empty() && !made_by.is("Constant")) return false;
    open.insert(open.end(), made_by.inputs.begin(), made_by.inputs.end());
  }
  return true;
}

void GraphEditor::finish() {
  std::vector<Node> kept;
  kept.reserve(graph_.nodes.size() + fresh_.size());
  for (int index = 0; index < node_count(); ++index) {
    if (!is_removed(index)) kept.push_back(std::move(node(index)));
    const auto [first, last] = fresh_.equal_range(index);
    for (auto fresh = first; fresh != last; ++fresh) kept.push_back(std::move(fresh->second));
  }
  graph_.nodes = std::move(kept);
  remove_unused_values(graph_);
}

Node plain_node(std::string op_type, std::string name, std::vector<std::string> inputs,
                std::string output) {
  return {.op_type = std::move(op_type),
          .domain = "",
          .name = std::move(name),
          .inputs = std::move(inputs),
          .outputs = {std::move(output)},
          .attributes = {},
          .extra = ""};
}

std::optional<std::size_t> rank_of(const ValueInfo* value) {
  if (value == nullptr || !value->dimensions) return std::nullopt;
  return value->dimensions->size();
}

}  // namespace quantsearch
