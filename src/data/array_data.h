#pragma once

// Turns the arrays of a file into samples of a model.

#include <memory>
#include <string>
#include <vector>

#include "data/samples.h"
#include "data/stored_array.h"
#include "quantsearch/data.h"

namespace quantsearch {

struct ArrayData {
  std::shared_ptr<const DataSource> source;
  Origin origin;
};

/// Arrays are matched to inputs by name; a single array is matched to a single required input
/// whatever its name. An array `labels` is ignored unless the model has such an input. A sample is
/// a row of each array, fed with a first axis of 1. When an array has one axis more than its input,
/// that first axis counts the samples and is removed: this feeds inputs without an axis for
/// samples, and models that always run several at once. Arrays named in `fixed` that are not inputs
/// are ignored. Throws InvalidInput showing the arrays and the inputs.
[[nodiscard]] ArrayData arrays_as_samples(const ArrayFile& file, const Model& model,
                                          const std::vector<std::string>& fixed = {});

}  // namespace quantsearch
