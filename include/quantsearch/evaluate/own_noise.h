#pragma once

// A float model that draws random numbers differs from itself in each run, so no candidate can be
// closer to it than that.

#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

struct OwnNoise {
  std::vector<std::string> nodes = {};  // nodes that draw random numbers, see random_nodes()
  /// rel_l2 of a second run of each sample against the first, averaged over the numeric outputs. It
  /// is 0 when all runs agree, since a generator may have hardly any influence on the outputs.
  double rel_l2 = 0;
};

/// Runs each of the first samples twice on `device`. Absent for a model that draws no random
/// numbers, which is not run.
[[nodiscard]] std::optional<OwnNoise> own_noise(const Model& model, const DataSource& data,
                                                const Device& device = {},
                                                const CancellationToken& token = {});

}  // namespace quantsearch
