#pragma once

// The importance of the dimensions of a domain for reaching the best trials.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "quantsearch/optimizers.h"
#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

struct ImportanceOptions {
  /// Share of the complete trials that counts as the best. In (0, 1).
  double best_share = 0.1;
  /// Ranks trials by this objective alone. Absent: ranks them by all objectives together, by
  /// non-domination and, where a front has to be cut, by hypervolume. It has no effect with one
  /// objective.
  std::optional<std::size_t> objective = {};
};

/// PED-ANOVA (Watanabe, Bansal & Hutter 2023, arXiv 2304.10255): the Pearson divergence between the
/// density of a dimension's values among the best trials and among all. A dimension without effect
/// in some trials is weighted by the trials in which it has one (conditional PED-ANOVA, arXiv
/// 2601.20800, theorem 4.2). Returns one share per dimension; the shares sum to 1. They are equal
/// when the dimensions cannot be distinguished (fewer than two complete trials, all equally good,
/// no dimension with a choice).
///
/// Trials that did not complete are left out; infeasible ones rank after the others. Throws
/// InvalidInput for a share out of range, an objective that does not exist, or observations with
/// unequal numbers of objectives or dimensions.
[[nodiscard]] std::vector<double> importances(const Domain& domain,
                                              std::span<const Observation> observations,
                                              const ImportanceOptions& options = {});

}  // namespace quantsearch
