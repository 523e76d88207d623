#pragma once

// The classes of pixels that are the truth of a segmentation.

#include <cstdint>
#include <vector>

#include "evaluate/tasks/label_map.h"
#include "evaluate/tasks/task_options.h"
#include "quantsearch/data.h"

namespace quantsearch {

/// Reads the key `masks`: an array whose rows from `first` on are the masks of the samples, or,
/// when the samples have names, a folder of masks or an .npz with one array for each. Throws
/// InvalidInput naming a sample without a mask of its own, and for what does not hold integers.
[[nodiscard]] std::vector<LabelMap> read_masks(const TaskOptions& options,
                                               const DataSource& samples, std::int64_t first);

}  // namespace quantsearch
