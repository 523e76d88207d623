#pragma once

// The search for an assignment: a proposal from the sensitivities, then repair by runs of real
// models.

#include "precision/trials.h"

namespace quantsearch {

/// What is known of a layer before the search.
struct Sensitivity {
  std::vector<double> estimates;  // by format, from one pass
  double measured = 0;            // rel_l2 that the low format alone adds
};

/// The fewest layers above low, and those as cheap as the limits allow, such that every limit
/// holds. Throws InvalidInput when they cannot.
[[nodiscard]] Assignment assign_formats(Trials& trials, const std::vector<Layer>& layers,
                                        const std::vector<Sensitivity>& sensitivities,
                                        const PrecisionOptions& options, const LogSink& log);

/// Layers that are free, the most sensitive first.
[[nodiscard]] std::vector<std::size_t> by_sensitivity(
    const std::vector<Layer>& layers, const std::vector<Sensitivity>& sensitivities);

}  // namespace quantsearch
