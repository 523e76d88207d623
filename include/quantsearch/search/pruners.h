#pragma once

// Rules that stop a trial by the values it reports on its way, where samples are not paired (a race
// is better where they are: racing.h). Values are to be minimised: whoever maximises negates them.
// The rules are those of Optuna 5, so that studies of both decide alike.

#include <cstdint>
#include <map>
#include <optional>
#include <span>

namespace quantsearch {

/// What a trial reported: step to value, which may be NaN.
using Reports = std::map<std::int64_t, double>;

struct PercentileOptions {
  double percentile = 50;  // 50 is the median; in [0, 100]
  std::int64_t startup_trials = 5;
  std::int64_t warmup_steps = 0;
  std::int64_t interval_steps = 1;  // looks at steps warmup, warmup + interval, ...
  std::int64_t least_trials = 1;    // that reported at the step
};
/// Prunes when the best value so far of `running` is worse than that percentile (interpolated
/// linearly) of what complete trials reported at its last step. All NaN so far: prunes. Throws
/// InvalidInput for options out of range.
[[nodiscard]] bool percentile_prunes(const Reports& running, std::span<const Reports> complete,
                                     const PercentileOptions& options = {});

struct HalvingOptions {
  std::int64_t least_resource = 1;    // steps to the first rung
  std::int64_t reduction_factor = 4;  // rungs at least_resource * factor^(early_stopping_rate + k)
  std::int64_t least_early_stopping_rate = 0;
  std::int64_t bootstrap = 0;  // trials at a rung before anyone is promoted from it
};
/// A trial's values at the rungs it has completed, the first rung first.
using Rungs = std::vector<double>;
struct HalvingDecision {
  bool prune = false;
  Rungs rungs;  // of the running trial: to be kept with it
};
/// Asynchronous successive halving (Li et al. 2020, arXiv 1810.05934): at each rung a trial goes on
/// when it is among the best 1 / factor of those that came to it before. `others`: the rungs of all
/// other trials. Throws InvalidInput for options out of range.
[[nodiscard]] HalvingDecision successive_halving(const Reports& running, const Rungs& completed,
                                                 std::span<const Rungs> others,
                                                 const HalvingOptions& options = {});

struct WilcoxonOptions {
  double p_threshold = 0.1;
  std::int64_t startup_steps = 2;
};
/// Steps are samples. Prunes when a one-sided signed-rank test of the differences from the best
/// trial at common steps says at that level that the running one is worse, unless its mean is still
/// better than the best's. Its level holds for one look only: asked after each sample, it stops far
/// more good trials than that (a race does not). Throws InvalidInput for options out of range.
[[nodiscard]] bool wilcoxon_prunes(const Reports& running, const Reports& best,
                                   const WilcoxonOptions& options = {});

/// P(R+ >= observed) of the signed-rank test (Wilcoxon 1945; zeros as of Pratt 1959 with their
/// ranks split): exact up to 50 differences without ties and zeros, else normal with the variance
/// corrected for ties. 1 when all are zero.
[[nodiscard]] double signed_rank_p(std::span<const double> differences);

}  // namespace quantsearch
