#pragma once

// Ensures the structure on which every other room relies: names are defined once and before they
// are read, and opsets are known.

#include "quantsearch/model.h"

namespace quantsearch::model_io {

/// Throws InvalidInput for unknown opsets, duplicate names, dangling inputs and cycles. Nodes that
/// are only out of order are sorted, and names in bodies that hide outer names are replaced.
void validate_structure(Model& model);

}  // namespace quantsearch::model_io
