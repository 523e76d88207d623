#pragma once

// The strategy of a search without options: it spends trials where the model needs them.
//   1. Calibrations that cost one pass, at the fastest placement (autosearch/placing.h), or that of
//      the base.
//   2. While there is no candidate: reconstruction (GPTQ) of the best of them, with equalization
//      and without.
//   3. Still none: mixed precision, with limits that become stricter until the tolerance holds. The
//      layers that hurt most stay float, or get 16 bits for an NPU.
//   4. With a candidate, when the fastest on a CPU is wanted: the best with the other activation
//      type, uint8 or int8. The faster goes on; a tie keeps the type of the base.
//   5. Likewise: the other placements that were measured to be about as fast.
//   6. The remaining calibrations with what was found.
// docs/search.md explains it.

#include <memory>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"
#include "quantsearch/search/model_sampler.h"

namespace quantsearch {

/// The space of all points that the strategy may propose: `calibrations` with the settings of the
/// later phases. `objective`: the name of what decides (Setup). `placements`: choices of
/// nodes_to_exclude, the fastest first; none: placement is not searched.
[[nodiscard]] Space escalation_space(const AutoSearchConfig& config, const std::string& objective,
                                     const Space& calibrations,
                                     const std::vector<Value>& placements);

struct EscalationOptions {
  Ranking ranking;
  // Number of trials of the first phase, at most.
  std::int64_t first_trials = 12;
  LogSink log = {};
};

/// `space`: an escalation_space(). The proposals depend only on the results, so that a resumed
/// search goes on where it ended.
[[nodiscard]] std::unique_ptr<Sampler> escalation_sampler(const Space& space, Normalize normalize,
                                                          const CostModel& cost,
                                                          const EscalationOptions& options);

}  // namespace quantsearch
