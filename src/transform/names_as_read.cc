#include "transform/names_as_read.h"

#include <iterator>
#include <set>
#include <utility>

namespace quantsearch {

namespace {

/// Operators that are removed without another node taking over their computation.
bool is_copy(std::string_view op_type) {
  return op_type == "Identity" || op_type == "Dropout" || op_type == "Cast";
}

std::set<std::string, std::less<>> tensors_of(const Graph& graph) {
  std::set<std::string, std::less<>> names;
  for (const ValueInfo& input : graph.inputs) names.insert(input.name);
  for (const Initializer& initializer : graph.initializers) names.insert(initializer.name);
  for (const Node& node : graph.nodes) names.insert(node.outputs.begin(), node.outputs.end());
  return names;
}

}  // namespace

/// The effect of one pass on tensors.
class NameTracker::Step {
 public:
  Step(const std::vector<Seen>& before, const std::vector<Seen>& after, const Graph& graph)
      : tensors_(tensors_of(graph)) {
    for (const Seen& node : before) {
      for (std::size_t slot = 0; slot < node.outputs.size(); ++slot)
        makers_.emplace(node.outputs[slot], std::pair(&node, slot));
      if (is_copy(node.op_type)) copies_.emplace(node.first_input, node.outputs[0]);
    }
    for (const Seen& node : after) {
      if (!node.name.empty()) by_name_.emplace(node.name, &node);
      by_input_.emplace(std::pair(node.op_type, node.first_input), &node);
    }
  }

  [[nodiscard]] std::optional<TensorNow> of(const std::string& tensor) const {
    if (tensors_.contains(tensor)) return TensorNow{.name = tensor, .has_same_values = true};
    const auto maker = makers_.find(tensor);
    if (maker == makers_.end()) return std::nullopt;
    const auto& [node, slot] = maker->second;
    // A copy at a graph output gave its name to the tensor that it copied.
    const auto [first, last] = copies_.equal_range(tensor);
    for (auto copy = first; copy != last; ++copy) {
      if (tensors_.contains(copy->second))
        return TensorNow{.name = copy->second, .has_same_values = true};
    }
    if (const Seen* const now = find(*node); now != nullptr && slot < now->outputs.size())
      return TensorNow{.name = now->outputs[slot], .has_same_values = false};
    return is_copy(node->op_type) ? of(node->first_input) : std::nullopt;
  }

 private:
  /// The same node after the pass; null when it is gone, or has no name and is ambiguous.
  [[nodiscard]] const Seen* find(const Seen& node) const {
    if (!node.name.empty()) {
      const auto found = by_name_.find(node.name);
      return found == by_name_.end() ? nullptr : found->second;
    }
    const auto [first, last] = by_input_.equal_range({node.op_type, node.first_input});
    return first != last && std::next(first) == last ? first->second : nullptr;
  }

  std::set<std::string, std::less<>> tensors_;
  std::map<std::string, std::pair<const Seen*, std::size_t>, std::less<>> makers_;
  std::multimap<std::string, std::string, std::less<>> copies_;  // outputs by copied tensor
  std::map<std::string, const Seen*, std::less<>> by_name_;
  std::multimap<std::pair<std::string, std::string>, const Seen*> by_input_;  // by type and input
};

NameTracker::NameTracker(const Graph& as_read) : first_(seen_in(as_read)), last_(first_) {
  for (const Seen& node : first_) {
    for (const std::string& output : node.outputs)
      places_[output] = TensorNow{.name = output, .has_same_values = true};
  }
}

std::vector<NameTracker::Seen> NameTracker::seen_in(const Graph& graph) {
  std::vector<Seen> nodes;
  for (const Node& node : graph.nodes) {
    nodes.push_back({.op_type = node.op_type,
                     .name = node.name,
                     .first_input = std::string(node.input(0)),
                     .outputs = node.outputs});
  }
  return nodes;
}

void NameTracker::follow(const Graph& graph) {
  std::vector<Seen> nodes = seen_in(graph);
  if (nodes == last_) return;
  const Step step(last_, nodes, graph);
  for (auto& [tensor, place] : places_) {
    if (!place) continue;
    const bool had_same_values = place->has_same_values;
    place = step.of(place->name);
    if (place) place->has_same_values = place->has_same_values && had_same_values;
  }
  adopt(nodes);
  last_ = std::move(nodes);
}

void NameTracker::adopt(const std::vector<Seen>& nodes) {
  for (const Seen& node : nodes) {
    if (node.outputs.empty() || places_.contains(node.outputs[0])) continue;
    first_.push_back(node);
    for (const std::string& output : node.outputs)
      places_.try_emplace(output, TensorNow{.name = output, .has_same_values = true});
  }
}

NamesAsRead NameTracker::finish(const Graph& simplified) const {
  std::set<std::string, std::less<>> kept;
  std::map<std::string, std::string, std::less<>> labels;  // of producers, by tensor
  for (int node = 0; node < static_cast<int>(simplified.nodes.size()); ++node) {
    const Node& at = simplified.nodes[static_cast<std::size_t>(node)];
    kept.insert(at.name);
    for (const std::string& output : at.outputs)
      labels.emplace(output, node_label(simplified, node));
  }
  NamesAsRead names;
  for (const Seen& node : first_) {
    if (node.outputs.empty()) continue;
    const std::optional<TensorNow>& place = places_.find(node.outputs[0])->second;
    if (kept.contains(node.name)) continue;
    std::optional<std::string>& now = names.nodes[node.name];
    if (is_copy(node.op_type)) {
      if (place) names.copies[node.name] = place->name;
    } else if (const auto maker = place ? labels.find(place->name) : labels.end();
               maker != labels.end()) {
      now = maker->second;
    }
  }
  const auto tensors = tensors_of(simplified);
  for (const auto& [tensor, place] : places_) {
    if (tensors.contains(tensor)) continue;
    names.tensors[tensor] = place;
  }
  names.nodes.erase("");
  names.copies.erase("");
  return names;
}

}  // namespace quantsearch
