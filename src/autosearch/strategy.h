#pragma once

// How a search goes through its space: which sampler, in one stage or two.

#include <memory>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"

namespace quantsearch {

struct Strategy {
  std::unique_ptr<Sampler> sampler;
  std::vector<std::string> notices = {};   // what the user may want to know of it
  std::vector<std::string> warnings = {};  // what the configuration asks for in vain
  bool exhausts = false;                   // counts do not stop it
};

/// `goals`: one per objective. Throws InvalidInput for what the configuration asks and the space
/// cannot give. `log` hears when a second stage turns out to be empty, while the search runs.
[[nodiscard]] Strategy strategy_of(const AutoSearchConfig& config, const Space& space,
                                   const Normalize& normalize, const CostModel& cost,
                                   const std::vector<Goal>& goals, const LogSink& log = {});

/// One stage of a search, before anything has run.
struct StagePlan {
  std::string name;
  // A second stage is that of the first calibration.
  Space space;
  std::optional<std::int64_t> most_trials = {};  // a limit of the stage's own
};
/// The stages that the configuration and the space give; a search without stages is one.
[[nodiscard]] std::vector<StagePlan> stage_plans(const AutoSearchConfig& config, const Space& space,
                                                 const Normalize& normalize, const CostModel& cost);

/// How many trials the search runs at most, all stages together; nullopt when that is not known.
/// `summary`: of the space.
[[nodiscard]] std::optional<std::int64_t> most_trials(const AutoSearchConfig& config,
                                                      const Space& space,
                                                      const SpaceSummary& summary,
                                                      const Normalize& normalize);

}  // namespace quantsearch
