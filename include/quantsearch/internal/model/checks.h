#pragma once

// Checks of a model that few rooms need: whether the format allows it, and whether two runs give
// the same result.

#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// The two halves of check_model(): the structure (throws InvalidInput), and the objection of
/// libonnx's strict shape inference ("" when there is none). An objection is only a hint, because
/// runtimes run models that the inference refuses.
void check_structure(const Model& model);
[[nodiscard]] std::string inference_objection(const Model& model);

/// True for operators whose result can differ from run to run. Dropout is among them, although it
/// draws random numbers only in training mode; see random_nodes().
[[nodiscard]] bool draws_random_numbers(const Node& node);
/// describe_node() of the nodes, subgraphs included, that draw random numbers. A Dropout is listed
/// unless it is known not to be in training mode.
[[nodiscard]] std::vector<std::string> random_nodes(const Graph& graph);

}  // namespace quantsearch
