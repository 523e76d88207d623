#pragma once

// Which layers of the best model hurt: the table that a search writes to results.json.

#include "autosearch/best_profile.h"
#include "autosearch/setup.h"
#include "quantsearch/base/value.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

/// What the ranking of the layers may cost.
struct RankingPlan {
  std::int64_t samples = 0;  // 0: there is no time for one
  double seconds = 0;        // after which it is given up
};

/// What a plan depends on, in seconds; `passed` is the time that the search has taken.
struct RankingCosts {
  double passed = 0;
  double left = 0;              // until the time limit; infinite without one
  double seconds_of_model = 0;  // to make and open one model
  double seconds_of_sample = 0;
  std::int64_t layers = 0;
};

/// Automatic: as many samples as a twentieth of the time of the search allows.
[[nodiscard]] RankingPlan plan_ranking(const RankingCosts& costs, LayerRanking wanted);

/// Measures the layers of the model that `best` makes, whose times are in `profile`. Where the time
/// does not suffice, and a trial has chosen formats by mixed precision, the noise that it measured.
/// Null when the ranking is off or the search was cancelled; with `left_out`, the reason, when
/// nothing was measured.
[[nodiscard]] Value rank_layers(const Setup& setup, const std::vector<Trial>& trials,
                                const Settings& best, BestProfile& profile);

}  // namespace quantsearch
