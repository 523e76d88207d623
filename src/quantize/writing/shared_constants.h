#pragma once

// Weights that several bodies read from outside are quantized in each of them; what comes out equal
// is stored once again.

#include "quantsearch/model.h"

namespace quantsearch {

/// Moves large initializers that bodies have in common with each other, or with the main graph, to
/// the main graph. Names are unique in the whole model before and after.
void share_constants_of_bodies(Graph& graph);

}  // namespace quantsearch
