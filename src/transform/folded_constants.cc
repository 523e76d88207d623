#include "transform/folded_constants.h"

#include <algorithm>
#include <optional>
#include <set>

#include "transform/channel_affine.h"

namespace quantsearch {

namespace {

class Growth {
 public:
  Growth(const Graph& graph, const GraphIndex& index, const Constants& constants,
         std::vector<bool>& computed)
      : graph_(graph), index_(index), constants_(constants), computed_(computed) {
    for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
      if (computed[node]) measure_sources(graph.nodes[node]);
    }
  }

  std::vector<int> run() {
    std::vector<int> kept;
    while (total() > kLargestGrowthBytes) {
      const std::optional<int> largest = most_inflating();
      if (!largest) break;
      computed_[static_cast<std::size_t>(*largest)] = false;
      kept.push_back(*largest);
    }
    std::ranges::sort(kept);
    return kept;
  }

 private:
  [[nodiscard]] std::int64_t bytes(const std::string& tensor) const {
    const auto found = constants_.find(tensor);
    return found == constants_.end() ? 0 : bytes_of(*found->second);
  }

  /// Bytes of the model's own constants that the node's result is computed from.
  void measure_sources(const Node& node) {
    std::int64_t total = 0;
    for (const std::string& input : std::set<std::string>(node.inputs.begin(), node.inputs.end())) {
      const auto known = sources_.find(input);
      total += known != sources_.end()  ? known->second
               : index_.producer(input) ? 0  // a computed shape
                                        : bytes(input);
    }
    for (const std::string& output : node.outputs) sources_[output] = total;
  }

  [[nodiscard]] bool is_computed(int node) const {
    return computed_[static_cast<std::size_t>(node)];
  }

  [[nodiscard]] bool is_read_by_kept_nodes(const std::string& tensor) const {
    return std::ranges::any_of(index_.consumers(tensor),
                               [&](int reader) { return !is_computed(reader); });
  }

  [[nodiscard]] bool is_weight(const std::string& tensor) const {
    const auto weighs = [&](int reader) {
      const Node& node = graph_.nodes[static_cast<std::size_t>(reader)];
      return is_linear(node) && node.input(1) == tensor;
    };
    return std::ranges::any_of(index_.consumers(tensor), weighs);
  }

  /// What a computed result adds to the file.
  [[nodiscard]] std::int64_t added(const std::string& tensor) const {
    return is_read_by_kept_nodes(tensor) && !is_weight(tensor) ? bytes(tensor) : 0;
  }

  [[nodiscard]] std::int64_t total() const {
    std::int64_t sum = 0;
    for (const auto& [tensor, sources] : sources_) {
      const auto maker = index_.producer(tensor);
      if (maker && is_computed(*maker)) sum += added(tensor);
    }
    for (const Initializer& initializer : graph_.initializers) {
      const auto readers = index_.consumers(initializer.name);
      const bool leaves = !readers.empty() && !is_read_by_kept_nodes(initializer.name) &&
                          !index_.is_graph_output(initializer.name);
      if (leaves) sum -= bytes_of(*initializer.tensor);
    }
    return sum;
  }

  [[nodiscard]] std::optional<int> most_inflating() const {
    std::optional<int> largest;
    std::int64_t most = 0;
    for (const auto& [tensor, sources] : sources_) {
      const auto maker = index_.producer(tensor);
      if (!maker || !is_computed(*maker)) continue;
      const std::int64_t grown = added(tensor) - sources;
      if (grown <= 0 || (largest && (grown < most || (grown == most && *maker > *largest))))
        continue;
      largest = maker;
      most = grown;
    }
    return largest;
  }

  const Graph& graph_;
  const GraphIndex& index_;
  const Constants& constants_;
  std::vector<bool>& computed_;
  std::map<std::string, std::int64_t, std::less<>> sources_;  // by result of a computed node
};

}  // namespace

std::int64_t bytes_of(const Tensor& tensor) {
  if (tensor.type() != DataType::string) return std::ssize(tensor.bytes());
  std::int64_t total = 0;
  for (const std::string& text : tensor.strings()) total += std::ssize(text);
  return total;
}

std::vector<int> keep_inflating_nodes(const Graph& graph, const GraphIndex& index,
                                      const Constants& constants, std::vector<bool>& computed) {
  return Growth(graph, index, constants, computed).run();
}

}  // namespace quantsearch
