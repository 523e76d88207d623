#pragma once

// Applies the inputs of the model that the configuration makes constants.

#include "quantsearch/autosearch.h"

namespace quantsearch {

/// Returns the input of a search with the constants in the model and without these inputs in the
/// data. Throws what fix_inputs() throws.
[[nodiscard]] SearchInput with_fixed_inputs(SearchInput input, const FixedInputs& fixed);

}  // namespace quantsearch
