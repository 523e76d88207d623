#pragma once

// Scores the best trials on samples that none of them has seen. The best of many trials on the same
// samples is partly the luckiest (the winner's curse); a second score on samples outside the search
// does not have this bias.

#include <functional>
#include <optional>
#include <vector>

#include "autosearch/data_split.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/internal/trials/executor.h"

namespace quantsearch {

/// Returns the values of the objective of `finalists`, which are best first, on the held-out
/// samples. nullopt when there are none, and when the search was cancelled, because the user should
/// not have to wait for this.
[[nodiscard]] std::optional<Confirmation> confirm(
    const std::vector<Trial>& finalists, const std::string& objective,
    const AutoSearchConfig& config, const DataSplit& data, const Model& float_model,
    const SearchEnvironment& environment, const std::function<BuiltModel(const Trial&)>& built);

/// Returns the number of the finalist with the best score there; ties go to the earlier one.
[[nodiscard]] std::int64_t confirmed_best(const Confirmation& confirmation, Goal goal);

}  // namespace quantsearch
