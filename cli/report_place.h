#pragma once

// Where the results of a search are read from.

#include <optional>
#include <string>

#include "quantsearch/report.h"

namespace quantsearch::cli {

/// The results in `place`: the output folder of a search, which may be running, a results.json, a
/// study.db, or postgresql://... `study` names one of several studies; empty: the only one. Throws
/// InvalidInput when there are none.
[[nodiscard]] ResultsDocument results_in(const std::string& place, const std::string& study);

/// Every trial of the study in `place`, when the results list a part of them and the study is
/// there; nullopt otherwise.
[[nodiscard]] std::optional<VisitTrials> all_trials_in(const std::string& place,
                                                       const std::string& study,
                                                       const ResultsDocument& results);

}  // namespace quantsearch::cli
