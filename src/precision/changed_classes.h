#pragma once

// How often the best class of an output (argmax over its last axis) differs from the float model's.

#include "quantsearch/precision.h"

namespace quantsearch {

struct ChangedClasses {
  double share = 0;  // of all positions
  double rare_share =
      0;  // of those whose class is not the float model's most frequent one; 0 without any
};
/// Over the reference's data; of `output`, or of all outputs together. Ties: the lower index.
[[nodiscard]] ChangedClasses changed_classes(const Model& candidate, const Reference& reference,
                                             const std::optional<std::string>& output,
                                             ThreadPool& pool, const CancellationToken& token);

}  // namespace quantsearch
