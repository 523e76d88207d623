#pragma once

// How large the tensors of a model become on a given input, before it is run.

#include <cstdint>
#include <string>
#include <vector>

#include "quantsearch/data.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// Bytes of each of `names`, by shape inference with the shapes of `inputs`. A tensor whose shape
/// depends on values counts as the largest that is known.
[[nodiscard]] std::vector<std::int64_t> tapped_sizes(const Model& model, const Batch& inputs,
                                                     const std::vector<std::string>& names);

}  // namespace quantsearch
