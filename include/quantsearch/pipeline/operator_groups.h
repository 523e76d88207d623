#pragma once

// Groups of operators that a search leaves float together.

#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// Operator types of a model that are left float together, because they occur together.
using OperatorGroups = std::vector<std::vector<std::string>>;

/// The groups of operators, other than those with weights, that `model` contains and that are
/// quantized by default. At most six.
[[nodiscard]] OperatorGroups operator_groups(const Model& model);

}  // namespace quantsearch
