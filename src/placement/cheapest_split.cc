#include "placement/cheapest_split.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <queue>

namespace quantsearch {

namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// A network with real capacities. Flows below `kNothing` are rounding errors.
class Network {
 public:
  explicit Network(std::size_t nodes) : edges_of_(nodes), level_(nodes), next_(nodes) {}

  void connect(std::size_t from, std::size_t to, double capacity) {
    if (capacity <= 0) return;
    edges_of_[from].push_back(edges_.size());
    edges_.push_back({.to = to, .capacity = capacity});
    edges_of_[to].push_back(edges_.size());
    edges_.push_back({.to = from, .capacity = 0});
  }

  /// The nodes that are still reached from `source` when the flow to `sink` is largest.
  std::vector<bool> source_side(std::size_t source, std::size_t sink) {
    while (levels(source, sink)) {
      std::ranges::fill(next_, std::size_t{0});
      while (push(source, sink, kInfinite) > kNothing) {
      }
    }
    std::vector<bool> reached(level_.size());
    for (std::size_t node = 0; node < level_.size(); ++node) reached[node] = level_[node] >= 0;
    return reached;
  }

 private:
  static constexpr double kNothing = 1e-12;

  struct Edge {
    std::size_t to = 0;
    double capacity = 0;
  };

  bool levels(std::size_t source, std::size_t sink) {
    std::ranges::fill(level_, -1);
    level_[source] = 0;
    std::queue<std::size_t> open({source});
    while (!open.empty()) {
      const std::size_t node = open.front();
      open.pop();
      for (const std::size_t edge : edges_of_[node]) {
        const auto [to, capacity] = edges_[edge];
        if (capacity <= kNothing || level_[to] >= 0) continue;
        level_[to] = level_[node] + 1;
        open.push(to);
      }
    }
    return level_[sink] >= 0;
  }

  /// Pushes flow along one shortest path; its length is at most four times the number of items in a
  /// chain, which the stack holds.
  double push(std::size_t node, std::size_t sink, double most) {
    if (node == sink) return most;
    for (std::size_t& at = next_[node]; at < edges_of_[node].size(); ++at) {
      const std::size_t index = edges_of_[node][at];
      const auto [to, capacity] = edges_[index];
      if (capacity <= kNothing || level_[to] != level_[node] + 1) continue;
      const double pushed = push(to, sink, std::min(most, capacity));
      if (pushed <= kNothing) continue;
      edges_[index].capacity -= pushed;
      edges_[index ^ 1].capacity += pushed;
      return pushed;
    }
    return 0;
  }

  std::vector<std::vector<std::size_t>> edges_of_;
  std::vector<Edge> edges_;
  std::vector<int> level_;
  std::vector<std::size_t> next_;
};

}  // namespace

std::vector<bool> cheapest_split(const SplitProblem& problem) {
  // Items on the side of the source run on integers. Each value adds two nodes: one on the side of
  // the source as soon as a reader is, the other on the side of the sink as soon as a reader is.
  const std::size_t items = problem.items.size();
  const std::size_t source = items + 2 * problem.values.size();
  const std::size_t sink = source + 1;
  Network network(sink + 1);
  for (std::size_t item = 0; item < items; ++item) {
    const SplitProblem::Item& at = problem.items[item];
    double on_integers = at.on_integers;
    if (at.must_be_float) on_integers = kInfinite;
    network.connect(source, item, at.on_float);
    network.connect(item, sink, on_integers);
  }
  for (std::size_t value = 0; value < problem.values.size(); ++value) {
    const SplitProblem::Value& passed = problem.values[value];
    const auto producer = static_cast<std::size_t>(passed.producer);
    const std::size_t any_integer = items + 2 * value;
    const std::size_t any_float = any_integer + 1;
    network.connect(any_integer, producer, passed.quantize);
    network.connect(producer, any_float, passed.dequantize);
    for (const int reader : passed.readers) {
      network.connect(static_cast<std::size_t>(reader), any_integer, kInfinite);
      network.connect(any_float, static_cast<std::size_t>(reader), kInfinite);
    }
  }
  std::vector<bool> side = network.source_side(source, sink);
  side.resize(items);
  return side;
}

double cost_of(const SplitProblem& problem, const std::vector<bool>& on_integers) {
  double cost = 0;
  for (std::size_t item = 0; item < problem.items.size(); ++item) {
    const SplitProblem::Item& at = problem.items[item];
    if (on_integers[item] && at.must_be_float) return kInfinite;
    cost += on_integers[item] ? at.on_integers : at.on_float;
  }
  for (const SplitProblem::Value& value : problem.values) {
    const bool is_integer = on_integers[static_cast<std::size_t>(value.producer)];
    const bool is_converted = std::ranges::any_of(value.readers, [&](int reader) {
      return on_integers[static_cast<std::size_t>(reader)] != is_integer;
    });
    if (is_converted) cost += is_integer ? value.dequantize : value.quantize;
  }
  return cost;
}

}  // namespace quantsearch
