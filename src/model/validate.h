#pragma once

// The structure every other room relies on: names are defined once and before they are read, opsets
// are known.

#include "quantsearch/model.h"

namespace quantsearch::model_io {

/// Throws InvalidInput for unknown opsets, duplicate names, dangling inputs and cycles. Nodes that
/// are merely out of order are put in order.
void validate_structure(Model& model);

}  // namespace quantsearch::model_io
