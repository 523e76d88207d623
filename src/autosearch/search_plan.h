#pragma once

// The second step of a search: the space of its trials.

#include "autosearch/setup.h"

namespace quantsearch {

struct SearchPlan {
  Space space;  // settled for these data
  Normalize normalize;
  SpaceSummary summary;
  Value placement = {};  // place_operators(); null: placement is not searched
};

/// Throws InvalidInput for a space without a valid point, and for one without the settings that the
/// configured stages need. The setup must outlive the result. `placement`: of place_operators().
[[nodiscard]] SearchPlan plan_search(const Setup& setup, Value placement = {});

/// Returns "REASON (3 points); ..." for the points that were filtered out.
[[nodiscard]] std::string reasons_of(const std::map<std::string, std::int64_t>& filtered);

}  // namespace quantsearch
