#pragma once

// Where the range of a tensor comes from. The answer does not depend on the options, so that one
// observation serves every configuration.

#include <optional>
#include <string>
#include <vector>

#include "quantize/placement/graph_view.h"
#include "quantize/placement/operators.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

struct RangeSource {
  std::string tensor;  // whose observed range it takes; itself, mostly
  std::optional<Range>
      fixed;  // known without observation: outputs of Softmax, Sigmoid, HardSigmoid
};
[[nodiscard]] RangeSource range_source(const GraphView& view, std::string tensor);

/// tensors_to_observe() of one graph, without its bodies.
[[nodiscard]] std::vector<std::string> observed_in_graph(const Model& model);

/// Input of a layout operator that `tensor` comes out of with the same parameters; nullopt when it
/// comes out of something else.
[[nodiscard]] std::optional<std::string> moved_from(const GraphView& view, std::string_view tensor);

/// True for the output of data movement that takes some of the values of a tensor in which others
/// are united: its own values may need much less than the range of them all.
[[nodiscard]] bool is_part_of_union(const GraphView& view, std::string_view tensor);

/// The bounds of the Relu or Clip that makes `tensor`, if one does.
[[nodiscard]] std::optional<Bounds> bounds_of(const GraphView& view, std::string_view tensor);

}  // namespace quantsearch
