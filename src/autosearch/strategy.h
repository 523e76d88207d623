#pragma once

// Chooses how a search explores its space: with which sampler, and in one stage or two.

#include <memory>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"

namespace quantsearch {

struct Strategy {
  std::unique_ptr<Sampler> sampler;
  std::vector<std::string> notices = {};   // information for the user
  std::vector<std::string> warnings = {};  // parts of the configuration that have no effect
  bool exhausts = false;                   // counts do not stop it
};

/// `goals`: one per objective. Throws InvalidInput when the configuration does not suit the space
/// or the number of objectives. A second stage that turns out to be empty during the search is
/// reported to `log`.
[[nodiscard]] Strategy strategy_of(const AutoSearchConfig& config, const Space& space,
                                   const Normalize& normalize, const CostModel& cost,
                                   const std::vector<Goal>& goals, const LogSink& log = {});

/// One stage of a search, before anything has run.
struct StagePlan {
  std::string name;
  // The space of a second stage is that of the first calibration.
  Space space;
  std::optional<std::int64_t> most_trials = {};  // limit of this stage
};
/// Returns the stages of the configuration and the space; a search without stages has one.
[[nodiscard]] std::vector<StagePlan> stage_plans(const AutoSearchConfig& config, const Space& space,
                                                 const Normalize& normalize, const CostModel& cost);

/// Returns the largest number of trials of the search, for all stages together; nullopt when it is
/// unknown. `summary`: of the space.
[[nodiscard]] std::optional<std::int64_t> most_trials(const AutoSearchConfig& config,
                                                      const Space& space,
                                                      const SpaceSummary& summary,
                                                      const Normalize& normalize);

}  // namespace quantsearch
