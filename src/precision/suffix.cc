#include "precision/suffix.h"

#include <algorithm>
#include <utility>

#include "quantsearch/internal/model/bodies.h"
#include "quantsearch/internal/model/compared_outputs.h"

namespace quantsearch {

namespace {

const std::string* first_output(const Node& node) {
  const auto named =
      std::ranges::find_if(node.outputs, [](const std::string& name) { return !name.empty(); });
  return named == node.outputs.end() ? nullptr : &*named;
}

/// Names of nodes do not count.
bool are_equal_nodes(const Node& a, const Node& b) {
  return a.op_type == b.op_type && a.domain == b.domain && a.inputs == b.inputs &&
         a.outputs == b.outputs && a.attributes == b.attributes && a.extra == b.extra;
}

/// The positions from which on a tensor exists, and up to which it is read.
struct Lifetime {
  int made = 0;
  int last_read = 0;
};

class Lifetimes {
 public:
  explicit Lifetimes(const Graph& graph) : graph_(graph), index_(graph) {
    for (std::string& name : constant_tensors(graph)) constants_.insert(std::move(name));
    for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
      for (const std::string& output : graph.nodes[static_cast<std::size_t>(node)].outputs) {
        if (!output.empty() && !constants_.contains(output)) note(output, node);
      }
    }
  }

  /// The tensors that exist before the node and are read at it or after it.
  [[nodiscard]] std::vector<std::string> alive_before(int node) const {
    TensorNames names;
    for (const auto& [name, lifetime] : lifetimes_) {
      if (lifetime.made >= node || lifetime.last_read < node) continue;
      const std::string integers = stored_form(name);
      if (!integers.empty()) names.insert(integers);
    }
    return {names.begin(), names.end()};
  }

 private:
  void note(const std::string& tensor, int made) {
    const auto readers = index_.consumers(tensor);
    int last = readers.empty() ? made : readers.back();
    if (index_.is_graph_output(tensor)) last = static_cast<int>(graph_.nodes.size());
    lifetimes_.emplace(tensor, Lifetime{.made = made, .last_read = last});
  }

  /// The integers of a dequantized value; "" when they are an input of the graph.
  [[nodiscard]] std::string stored_form(std::string name) const {
    for (auto maker = index_.producer(name); maker; maker = index_.producer(name)) {
      const Node& node = graph_.nodes[static_cast<std::size_t>(*maker)];
      if (node.op_type != "DequantizeLinear") return name;
      name = node.inputs[0];
    }
    return {};
  }

  const Graph& graph_;
  GraphIndex index_;
  TensorNames constants_;
  std::map<std::string, Lifetime> lifetimes_;
};

std::int64_t total_bytes(const TensorNames& tensors,
                         const std::map<std::string, std::int64_t>& bytes_of) {
  std::int64_t bytes = 0;
  for (const std::string& tensor : tensors) bytes += bytes_of.at(tensor);
  return bytes;
}

class SuffixWalk {
 public:
  SuffixWalk(const Model& model, const std::map<std::string, ValueInfo, std::less<>>& given)
      : graph_(model.graph),
        index_(model.graph),
        given_(given),
        is_needed_(model.graph.nodes.size()) {}

  void reach(const std::vector<std::string>& outputs) {
    std::vector<std::string> open = outputs;
    while (!open.empty()) {
      const std::string tensor = std::move(open.back());
      open.pop_back();
      if (!seen_.insert(tensor).second || given_.contains(tensor)) continue;
      const auto producer = index_.producer(tensor);
      if (!producer || is_needed_[static_cast<std::size_t>(*producer)]) continue;
      is_needed_[static_cast<std::size_t>(*producer)] = true;
      for (std::string& read : names_read(graph_.nodes[static_cast<std::size_t>(*producer)]))
        open.push_back(std::move(read));
    }
  }

  [[nodiscard]] Graph graph(const std::vector<std::string>& outputs) const {
    Graph part;
    part.name = graph_.name;
    for (std::size_t node = 0; node < graph_.nodes.size(); ++node) {
      if (is_needed_[node]) part.nodes.push_back(graph_.nodes[node]);
    }
    for (const Initializer& initializer : graph_.initializers) {
      if (seen_.contains(initializer.name)) part.initializers.push_back(initializer);
    }
    for (const ValueInfo& input : graph_.inputs) {
      if (seen_.contains(input.name)) part.inputs.push_back(input);
    }
    for (const auto& [name, value] : given_) {
      if (seen_.contains(name) && !is_computed(name)) part.inputs.push_back(value);
    }
    for (const ValueInfo& output : graph_.outputs) {
      if (std::ranges::find(outputs, output.name) != outputs.end()) part.outputs.push_back(output);
    }
    for (const ValueInfo& value : graph_.values) {
      if (seen_.contains(value.name) && !given_.contains(value.name)) part.values.push_back(value);
    }
    return part;
  }

 private:
  /// True for a given tensor whose node is needed for another of its outputs.
  [[nodiscard]] bool is_computed(const std::string& tensor) const {
    const auto producer = index_.producer(tensor);
    return producer && is_needed_[static_cast<std::size_t>(*producer)];
  }

  const Graph& graph_;
  GraphIndex index_;
  const std::map<std::string, ValueInfo, std::less<>>& given_;
  std::vector<bool> is_needed_;  // by node
  TensorNames seen_;
};

}  // namespace

TensorNames equal_tensors(const Model& base, const Model& model) {
  const GraphIndex index(base.graph);
  TensorNames equal;
  for (const ValueInfo& input : model.graph.inputs) {
    // An input with a default value counts as a constant below.
    if (index.is_graph_input(input.name) && index.initializer(input.name) == nullptr)
      equal.insert(input.name);
  }
  for (const Initializer& initializer : model.graph.initializers) {
    const Tensor* const other = index.initializer(initializer.name);
    if (other != nullptr && *other == *initializer.tensor) {
      equal.insert(initializer.name);
    } else {
      equal.erase(initializer.name);
    }
  }
  for (const Node& node : model.graph.nodes) {
    const std::string* const output = first_output(node);
    const auto producer = output == nullptr ? std::nullopt : index.producer(*output);
    if (!producer ||
        !are_equal_nodes(base.graph.nodes[static_cast<std::size_t>(*producer)], node)) {
      continue;
    }
    if (!std::ranges::all_of(names_read(node),
                             [&](const std::string& name) { return equal.contains(name); })) {
      continue;
    }
    for (const std::string& name : node.outputs) {
      if (!name.empty()) equal.insert(name);
    }
  }
  return equal;
}

std::vector<CutPoint> cut_points(const Graph& graph, const TensorNames& op_types) {
  const Lifetimes lifetimes(graph);
  std::vector<CutPoint> places;
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    if (!op_types.contains(graph.nodes[static_cast<std::size_t>(node)].op_type)) continue;
    CutPoint place{.node = node, .tensors = lifetimes.alive_before(node)};
    if (!place.tensors.empty()) places.push_back(std::move(place));
  }
  return places;
}

TensorNames affordable_tensors(const std::vector<CutPoint>& places,
                               const std::map<std::string, std::int64_t>& bytes_of,
                               std::int64_t limit_bytes) {
  const auto bytes_at = [&](const CutPoint& place) {
    std::int64_t bytes = 0;
    for (const std::string& tensor : place.tensors) bytes += bytes_of.at(tensor);
    return bytes;
  };
  for (std::size_t groups = places.size(); groups > 0; groups /= 2) {
    TensorNames tensors;
    for (std::size_t group = 0; group < groups; ++group) {
      const auto begin =
          places.begin() + static_cast<std::ptrdiff_t>(group * places.size() / groups);
      const auto end =
          places.begin() + static_cast<std::ptrdiff_t>((group + 1) * places.size() / groups);
      const auto least = std::min_element(begin, end, [&](const CutPoint& a, const CutPoint& b) {
        return bytes_at(a) < bytes_at(b);
      });
      tensors.insert(least->tensors.begin(), least->tensors.end());
    }
    if (total_bytes(tensors, bytes_of) <= limit_bytes) return tensors;
  }
  return {};
}

Suffix suffix_of(const Model& model, const std::vector<std::string>& outputs,
                 const std::map<std::string, ValueInfo, std::less<>>& given) {
  SuffixWalk walk(model, given);
  walk.reach(outputs);
  Suffix suffix{.model = {.ir_version = model.ir_version,
                          .opsets = model.opsets,
                          .graph = walk.graph(outputs),
                          .metadata = {},
                          .extra = model.extra},
                .given = {},
                .inputs = {}};
  for (const ValueInfo& input : suffix.model.graph.inputs)
    (given.contains(input.name) ? suffix.given : suffix.inputs).push_back(input.name);
  return suffix;
}

}  // namespace quantsearch
