#pragma once

// Checks of a model that few rooms need: whether the format allows it, and whether two runs give
// the same result.

#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// What libonnx's checker or its strict shape inference objects to; "" when nothing. It is only a
/// hint: runtimes have operators that libonnx does not know, such as SimplifiedLayerNormalization,
/// and run models whose shapes it refuses.
[[nodiscard]] std::string objection_to(const Model& model);

/// True for operators whose result can differ from run to run. Dropout is among them, although it
/// draws random numbers only in training mode; see random_nodes().
[[nodiscard]] bool draws_random_numbers(const Node& node);
/// describe_node() of the nodes, subgraphs included, that draw random numbers. A Dropout is listed
/// unless it is known not to be in training mode.
[[nodiscard]] std::vector<std::string> random_nodes(const Graph& graph);

}  // namespace quantsearch
