#pragma once

// The last word on the best trials: samples that none of them has seen. The best of many on the
// same samples is partly the luckiest (the winner's curse); a second look that was no part of the
// search is free of that.

#include <functional>
#include <optional>
#include <vector>

#include "autosearch/data_split.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/trials/executor.h"

namespace quantsearch {

/// Scores of `finalists`, best first, on the samples that were kept back. nullopt when none were,
/// or when the search was cancelled: a user who waits for files does not wait for that.
[[nodiscard]] std::optional<Confirmation> confirm(
    const std::vector<Trial>& finalists, const AutoSearchConfig& config, const DataSplit& data,
    const Model& float_model, const SearchEnvironment& environment,
    const std::function<BuiltModel(const Trial&)>& built);

/// Number of the finalist that scored best there; of equal ones the earlier.
[[nodiscard]] std::int64_t confirmed_best(const Confirmation& confirmation, Goal goal);

}  // namespace quantsearch
