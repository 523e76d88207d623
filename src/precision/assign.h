#pragma once

// The search for an assignment: a proposal from the sensitivities, which runs of real models then
// correct.

#include <functional>

#include "precision/trials.h"

namespace quantsearch {

/// The sensitivity of a layer before the search.
struct Sensitivity {
  std::vector<double> estimates;  // by format, from one pass of the float model
  double measured = 0;            // rel_l2 that the low format alone adds
};

/// The rel_l2 that each of these layers adds with a format when all others have the most precise
/// one, on few samples; measured when it is asked for.
using NoiseOfFormat =
    std::function<std::vector<double>(const std::vector<bool>& of_layers, int format)>;

struct AssignmentProblem {
  const std::vector<Layer>& layers;
  const std::vector<Sensitivity>& sensitivities;
  NoiseOfFormat noise;
  const PrecisionOptions& options;
  const LogSink& log;
};

/// The assignment with the fewest layers above low, and those in the cheapest formats, with which
/// every limit holds. Throws InvalidInput when there is none.
[[nodiscard]] Assignment assign_formats(Trials& trials, const AssignmentProblem& problem);

/// True when the limits on layers, share and bytes hold. `bytes` is called only when there is a
/// limit on bytes.
[[nodiscard]] bool is_within_budget(const Assignment& assignment, const PrecisionOptions& options,
                                    const std::function<double()>& bytes);
/// Throws InvalidInput unless is_within_budget().
void require_budget(const Assignment& assignment, const PrecisionOptions& options,
                    const std::function<double()>& bytes);

/// True when there is a limit on the outputs of the model.
[[nodiscard]] bool limits_outputs(const PrecisionOptions& options);

/// The free layers, the most sensitive first.
[[nodiscard]] std::vector<std::size_t> by_sensitivity(
    const std::vector<Layer>& layers, const std::vector<Sensitivity>& sensitivities);

}  // namespace quantsearch
