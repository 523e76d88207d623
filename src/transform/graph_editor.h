#pragma once

// Supports one walk of a pass over one graph: look-ups that stay correct while the pass changes
// constants and merges nodes, and the rules that all passes share (a constant with another reader
// is copied, a tensor that remains keeps its name).

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

class GraphEditor {
 public:
  /// `graph` must outlive the editor and be changed only through it, except for attributes and op
  /// types of nodes.
  explicit GraphEditor(Graph& graph);

  [[nodiscard]] int node_count() const { return static_cast<int>(graph_.nodes.size()); }
  [[nodiscard]] Node& node(int index) { return graph_.nodes[static_cast<std::size_t>(index)]; }
  [[nodiscard]] std::string describe(int index) const { return describe_node(graph_, index); }

  /// Null unless the tensor is an initializer that no caller can override.
  [[nodiscard]] const Tensor* constant(std::string_view tensor) const;
  /// The node that produces the tensor after the merges so far.
  [[nodiscard]] std::optional<int> producer(std::string_view tensor) const;
  /// True when exactly one input of one node reads the tensor and it is not a graph output.
  [[nodiscard]] bool has_one_reader(std::string_view tensor) const;
  /// That node; nullopt when there are more, or none.
  [[nodiscard]] std::optional<int> only_reader(std::string_view tensor) const;
  [[nodiscard]] bool is_graph_output(std::string_view tensor) const {
    return index_.is_graph_output(tensor);
  }
  /// Element type and dimensions as far as known; null when nothing is known.
  [[nodiscard]] const ValueInfo* value(std::string_view tensor) const {
    return index_.value(tensor);
  }
  [[nodiscard]] std::string unique_name(std::string_view wanted) { return names_.unique(wanted); }

  /// A new initializer; returns its name.
  std::string add_constant(std::string_view wanted, Tensor tensor);
  /// Makes `input` of the node read `tensor`. The initializer that is there is replaced when it has
  /// no other reader; otherwise a new one is named after it, or `wanted` when the input is absent.
  void set_constant(int index, std::size_t input, std::string_view wanted, Tensor tensor);
  /// `into` takes over the (only) output of `merged`, which finish() removes.
  void merge(int merged, int into);
  /// finish() removes the node; its outputs must have no readers left.
  void remove(int index) { removed_[static_cast<std::size_t>(index)] = true; }
  /// finish() inserts `fresh` after node `index`.
  void insert_after(int index, Node fresh);
  /// Replaces node `index` by the nodes of `sequence`, which are in topological order.
  void replace(int index, std::vector<Node> sequence);
  /// True when the tensor depends on nothing but initializers and Constant nodes.
  [[nodiscard]] bool is_constant_expression(std::string_view tensor) const;
  [[nodiscard]] bool is_removed(int index) const {
    return removed_[static_cast<std::size_t>(index)];
  }

  /// Removes and inserts nodes and erases constants without readers. The editor must not be used
  /// afterwards.
  void finish();

 private:
  [[nodiscard]] int reads_by(int index, std::string_view tensor) const;

  Graph& graph_;
  GraphIndex index_;
  NameAllocator names_;
  std::vector<bool> removed_;
  std::map<std::string, int, std::less<>> made_by_;  // outputs taken over by another node
  std::map<std::string, std::size_t, std::less<>> initializers_;
  std::multimap<int, Node> fresh_;
};

/// A node of ai.onnx without attributes.
[[nodiscard]] Node plain_node(std::string op_type, std::string name,
                              std::vector<std::string> inputs, std::string output);

/// The rank of a value; nullopt when it is not known.
[[nodiscard]] std::optional<std::size_t> rank_of(const ValueInfo* value);

}  // namespace quantsearch
