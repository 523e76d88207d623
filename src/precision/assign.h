#pragma once

// The search for an assignment: a proposal from the sensitivities, then repair by runs of real
// models.

#include <functional>

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

/// Whether the limits on layers, share and bytes hold; `bytes` is asked only when there is one on
/// them.
[[nodiscard]] bool is_within_budget(const Assignment& assignment, const PrecisionOptions& options,
                                    const std::function<double()>& bytes);
/// Throws InvalidInput when not.
void require_budget(const Assignment& assignment, const PrecisionOptions& options,
                    const std::function<double()>& bytes);

/// Whether any limit is on what the model does.
[[nodiscard]] bool limits_outputs(const PrecisionOptions& options);

/// Layers that are free, the most sensitive first.
[[nodiscard]] std::vector<std::size_t> by_sensitivity(
    const std::vector<Layer>& layers, const std::vector<Sensitivity>& sensitivities);

}  // namespace quantsearch
