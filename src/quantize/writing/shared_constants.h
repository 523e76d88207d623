#pragma once

// Stores equal constants of several bodies once. A weight of the main graph that several bodies
// read is quantized in each of them, which creates such copies.

#include "quantsearch/model.h"

namespace quantsearch {

/// Moves large initializers that bodies have in common with each other, or with the main graph, to
/// the main graph. Names are unique in the whole model before and after.
void share_constants_of_bodies(Graph& graph);

}  // namespace quantsearch
