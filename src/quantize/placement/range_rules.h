#pragma once

// Finds where the range of a tensor comes from. The answer does not depend on the options, so that
// one observation serves every configuration.

#include <optional>
#include <string>
#include <vector>

#include "quantize/placement/graph_view.h"
#include "quantize/placement/operators.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

struct RangeSource {
  std::string tensor;  // the tensor whose observed range is taken, usually the same one
  // Known without observation: outputs of Softmax, Sigmoid, HardSigmoid.
  std::optional<Range> fixed;
};
[[nodiscard]] RangeSource range_source(const GraphView& view, std::string tensor);

/// tensors_to_observe() of one graph, without its bodies.
[[nodiscard]] std::vector<std::string> observed_in_graph(const Model& model);

/// The input of the layout operator that produces `tensor` with the same parameters; nullopt when
/// another operator produces it.
[[nodiscard]] std::optional<std::string> moved_from(const GraphView& view, std::string_view tensor);

/// True for the output of data movement that selects some values of a tensor in which several
/// tensors are joined: its own values may need a much smaller range than all values together.
[[nodiscard]] bool is_part_of_union(const GraphView& view, std::string_view tensor);

/// The bounds of the Relu or Clip that produces `tensor`; nullopt when none does.
[[nodiscard]] std::optional<Bounds> bounds_of(const GraphView& view, std::string_view tensor);

}  // namespace quantsearch
