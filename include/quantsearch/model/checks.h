#pragma once

// Questions about a model that few rooms ask: whether the format allows it, and whether it gives
// the same answer twice.

#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// The two halves of check_model(): the structure (throws InvalidInput), and what libonnx's strict
/// shape inference has against the model ("" when nothing). The second is a help and no verdict:
/// runtimes run models that it refuses.
void check_structure(const Model& model);
[[nodiscard]] std::string inference_objection(const Model& model);

/// True for operators whose result differs from run to run. Dropout is one only where it trains,
/// see random_nodes().
[[nodiscard]] bool draws_random_numbers(const Node& node);
/// describe_node() of the nodes, subgraphs included, that draw random numbers, and of each Dropout
/// that trains or may.
[[nodiscard]] std::vector<std::string> random_nodes(const Graph& graph);

}  // namespace quantsearch
