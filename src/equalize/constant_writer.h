#pragma once

// Replaces constants that nodes read: in place when nobody else reads them, else as a copy.

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "quantsearch/model.h"

namespace quantsearch::equalizing {

class ConstantWriter {
 public:
  /// `graph` must outlive the writer and keep its nodes; `index` is a snapshot of it as it was
  /// before.
  ConstantWriter(Graph& graph, const GraphIndex& index);

  /// Input `input` of the node reads `tensor` from now on; `wanted` names it when the input is
  /// absent. Once for each input.
  void set(int node, std::size_t input, std::string_view wanted, Tensor tensor);
  /// The same for input `input` of several nodes that read one initializer now and share one after.
  void set_shared(std::span<const int> nodes, std::size_t input, Tensor tensor);
  /// A new initializer; returns its name.
  std::string add(std::string_view wanted, Tensor tensor);
  [[nodiscard]] std::string unique_name(std::string_view wanted) { return names_.unique(wanted); }

 private:
  Graph& graph_;
  const GraphIndex& index_;
  NameAllocator names_;
  std::map<std::string, std::size_t, std::less<>> positions_;  // of initializers
};

}  // namespace quantsearch::equalizing
