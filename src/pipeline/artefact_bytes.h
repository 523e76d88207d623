#pragma once

// The memory used by artefacts of stages, in bytes, for the budget of the stage cache.

#include <cstdint>

#include "quantsearch/calibrate.h"
#include "quantsearch/model.h"

namespace quantsearch {

[[nodiscard]] std::int64_t bytes_of(const Statistics& statistics);
[[nodiscard]] std::int64_t bytes_of(const ExtremesByTensor& extremes);
[[nodiscard]] std::int64_t bytes_of(const Model& model);

}  // namespace quantsearch
