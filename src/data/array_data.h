#pragma once

// Arrays of a file as samples of a model.

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

/// Arrays are matched to inputs by name, the only array to the only required input whatever its
/// name; an array `labels` is no input unless the model has one. A sample is a row of each array,
/// fed with a first axis of 1; when an array has one axis more than its input, a sample is what is
/// under that axis: that feeds inputs without an axis for samples and models that always run
/// several at once. Arrays named in `fixed` that are no inputs are passed over. Throws InvalidInput
/// showing the arrays and the inputs.
[[nodiscard]] ArrayData arrays_as_samples(const ArrayFile& file, const Model& model,
                                          const std::vector<std::string>& fixed = {});

}  // namespace quantsearch
