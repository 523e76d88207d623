#pragma once

// Replaces constants that nodes read: in place when there is no other reader, else by a copy.

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "quantsearch/model.h"

namespace quantsearch::equalizing {

class ConstantWriter {
 public:
  /// `graph` must outlive the writer and keep its nodes; `index` describes the graph before the
  /// first change.
  ConstantWriter(Graph& graph, const GraphIndex& index);

  /// Makes `tensor` the constant at input `input` of the node. `wanted` is its name when the input
  /// is absent. May be called once for each input.
  void set(int node, std::size_t input, std::string_view wanted, Tensor tensor);
  /// The same for input `input` of several nodes that read one initializer and will share the new
  /// one.
  void set_shared(std::span<const int> nodes, std::size_t input, Tensor tensor);
  /// Adds an initializer and returns its name.
  std::string add(std::string_view wanted, Tensor tensor);
  [[nodiscard]] std::string unique_name(std::string_view wanted) { return names_.unique(wanted); }

 private:
  Graph& graph_;
  const GraphIndex& index_;
  NameAllocator names_;
  std::map<std::string, std::size_t, std::less<>> positions_;  // index of each initializer
};

}  // namespace quantsearch::equalizing
