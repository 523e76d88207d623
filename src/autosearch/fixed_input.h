#pragma once

// A search whose model has inputs that the configuration makes constants.

#include "quantsearch/autosearch.h"

namespace quantsearch {

/// The input of a search with the constants in the model, and without them in the data. Throws what
/// fix_inputs() throws.
[[nodiscard]] SearchInput with_fixed_inputs(SearchInput input, const FixedInputs& fixed);

}  // namespace quantsearch
