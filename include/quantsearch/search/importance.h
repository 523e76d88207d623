#pragma once

// Which parameters of a search mattered for reaching the best trials.

#include <span>
#include <string>
#include <vector>

#include "quantsearch/optimizers/importance.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

struct ParameterImportance {
  std::string name;
  double share = 0;
  bool operator==(const ParameterImportance&) const = default;
};

/// Returns the PED-ANOVA importances of the parameters in the trials' points, the most important
/// first, ties by name. The values of a parameter are those that occur in the trials, in numerical
/// order when all of them are numbers. A parameter that is absent from a point had no effect in
/// that trial. Only complete trials count. `goals`: one per objective, as in pareto.h. Throws
/// InvalidInput when a complete trial has another number of objectives.
[[nodiscard]] std::vector<ParameterImportance> importances(std::span<const Trial> trials,
                                                           std::span<const Goal> goals,
                                                           const ImportanceOptions& options = {});

}  // namespace quantsearch
