#pragma once

// The second step of a search: the space that its trials come from.

#include "autosearch/setup.h"

namespace quantsearch {

struct SearchPlan {
  Space space;  // as it comes out for these data
  Normalize normalize;
  SpaceSummary summary;
};

/// Throws InvalidInput for a space without a valid point, or without what the configured stages
/// need. The setup must outlive the result.
[[nodiscard]] SearchPlan plan_search(const Setup& setup);

/// "REASON (3 points); ...", for what the space has left out.
[[nodiscard]] std::string reasons_of(const std::map<std::string, std::int64_t>& filtered);

}  // namespace quantsearch
