// Constants that were computed from smaller ones, and the way back.

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "transform/folded_constants.h"

namespace quantsearch {

namespace {

// A node and its names take some hundred bytes in a file.
constexpr std::int64_t kLeastSaving = 4096;

class RecipeMaker {
 public:
  RecipeMaker(const Graph& graph, const GraphIndex& index, const Constants& constants,
              const std::vector<bool>& computed)
      : graph_(graph), index_(index), constants_(constants), computed_(computed) {}

  Recipe make(const std::string& tensor) {
    recipe_ = {
        .tensor = tensor, .value = constants_.find(tensor)->second, .nodes = {}, .sources = {}};
    seen_.clear();
    collect(tensor);
    return std::move(recipe_);
  }

 private:
  /// The node that computes the tensor from constants. A Shape of a tensor whose values are not
  /// known is none: its result counts as a constant.
  [[nodiscard]] std::optional<int> maker(const std::string& tensor) const {
    const auto producer = index_.producer(tensor);
    if (!producer || !computed_[static_cast<std::size_t>(*producer)]) return std::nullopt;
    const Node& node = graph_.nodes[static_cast<std::size_t>(*producer)];
    const bool is_from_constants = std::ranges::all_of(node.inputs, [&](const std::string& input) {
      return input.empty() || constants_.contains(input);
    });
    return is_from_constants ? producer : std::nullopt;
  }

  void collect(const std::string& tensor) {
    if (tensor.empty() || !seen_.insert(tensor).second) return;
    const auto node = maker(tensor);
    if (!node) {
      recipe_.sources.push_back({.name = tensor, .tensor = constants_.find(tensor)->second});
      return;
    }
    const Node& at = graph_.nodes[static_cast<std::size_t>(*node)];
    for (const std::string& input : at.inputs) collect(input);
    seen_.insert(at.outputs.begin(), at.outputs.end());
    recipe_.nodes.push_back(at);
  }

  const Graph& graph_;
  const GraphIndex& index_;
  const Constants& constants_;
  const std::vector<bool>& computed_;
  Recipe recipe_;
  std::set<std::string> seen_;
};

std::int64_t source_bytes(const Recipe& recipe) {
  std::int64_t total = 0;
  for (const Initializer& source : recipe.sources) total += bytes_of(*source.tensor);
  return total;
}

/// The names of tensors of a graph.
class Names {
 public:
  explicit Names(const Graph& graph) {
    for (const ValueInfo& input : graph.inputs) taken_.insert(input.name);
    for (const Node& node : graph.nodes) taken_.insert(node.outputs.begin(), node.outputs.end());
    for (const Initializer& initializer : graph.initializers)
      constants_.emplace(initializer.name, initializer.tensor);
  }

  [[nodiscard]] bool is_free(const std::string& name) const {
    return !taken_.contains(name) && !constants_.contains(name);
  }
  [[nodiscard]] bool holds(const std::string& name,
                           const std::shared_ptr<const Tensor>& value) const {
    const auto found = constants_.find(name);
    return found != constants_.end() && found->second == value;
  }
  void take(const Recipe& recipe) {
    constants_.erase(recipe.tensor);
    for (const Node& node : recipe.nodes) taken_.insert(node.outputs.begin(), node.outputs.end());
    for (const Initializer& source : recipe.sources) constants_.emplace(source.name, source.tensor);
  }

 private:
  std::set<std::string> taken_;  // by inputs and nodes
  std::map<std::string, std::shared_ptr<const Tensor>, std::less<>> constants_;
};

bool fits(const Recipe& recipe, const Names& names) {
  if (!names.holds(recipe.tensor, recipe.value)) return false;
  const bool has_sources = std::ranges::all_of(recipe.sources, [&](const Initializer& source) {
    return names.is_free(source.name) || names.holds(source.name, source.tensor);
  });
  return has_sources && std::ranges::all_of(recipe.nodes, [&](const Node& node) {
           return std::ranges::all_of(node.outputs, [&](const std::string& output) {
             return output.empty() || output == recipe.tensor || names.is_free(output);
           });
         });
}

}  // namespace

std::vector<Recipe> recipes_for(const Graph& graph, const GraphIndex& index,
                                const Constants& constants, const std::vector<bool>& computed) {
  RecipeMaker maker(graph, index, constants, computed);
  std::vector<Recipe> recipes;
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    if (!computed[node]) continue;
    for (const std::string& output : graph.nodes[node].outputs) {
      const bool is_handed_on = std::ranges::any_of(index.consumers(output), [&](int reader) {
        return !computed[static_cast<std::size_t>(reader)];
      });
      if (output.empty() || !is_handed_on) continue;
      Recipe recipe = maker.make(output);
      if (bytes_of(*recipe.value) - source_bytes(recipe) >= kLeastSaving && !recipe.nodes.empty())
        recipes.push_back(std::move(recipe));
    }
  }
  return recipes;
}

int restore_computed_constants(Model& model, const std::vector<Recipe>& recipes) {
  Names names(model.graph);
  std::vector<Node> nodes;
  for (const Recipe& recipe : recipes) {
    if (!fits(recipe, names)) continue;
    std::erase_if(model.graph.initializers, [&](const Initializer& initializer) {
      return initializer.name == recipe.tensor;
    });
    for (const Initializer& source : recipe.sources) {
      if (names.is_free(source.name)) model.graph.initializers.push_back(source);
    }
    nodes.insert(nodes.end(), recipe.nodes.begin(), recipe.nodes.end());
    names.take(recipe);
  }
  const auto count = static_cast<int>(nodes.size());
  model.graph.nodes.insert(model.graph.nodes.begin(), std::make_move_iterator(nodes.begin()),
                           std::make_move_iterator(nodes.end()));
  return count;
}

}  // namespace quantsearch
