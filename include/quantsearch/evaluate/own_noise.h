#pragma once

// A float model that draws random numbers differs from itself: no candidate can be closer to it.

#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"

namespace quantsearch {

struct OwnNoise {
  std::vector<std::string> nodes = {};  // that draw random numbers, see random_nodes()
  /// rel_l2 of a second run of each sample against its first, averaged over the outputs that hold
  /// numbers. 0 when all runs agree: a generator may have a result that hardly counts.
  double rel_l2 = 0;
};

/// Runs each of the first samples twice. Absent, without a run, for a model that draws no random
/// numbers.
[[nodiscard]] std::optional<OwnNoise> own_noise(const Model& model, const DataSource& data,
                                                const CancellationToken& token = {});

}  // namespace quantsearch
