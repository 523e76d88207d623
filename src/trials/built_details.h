#pragma once

// The details that a trial records about the model that it built.

#include "quantsearch/pipeline/runnable.h"
#include "quantsearch/search/trial_details.h"

namespace quantsearch {

/// Returns the stages of a trial, which are recorded even for one that was stopped early.
[[nodiscard]] std::map<std::string, StageResult> stage_results(
    const std::vector<StageRecord>& stages);

[[nodiscard]] TrialDetails details_of(const Scores& scores, const RunnableCandidate& made);

/// Returns the nodes that stayed float because the model did not run otherwise, from the details of
/// a finished trial.
[[nodiscard]] std::vector<std::string> nodes_left_float(const TrialDetails& details);

}  // namespace quantsearch
