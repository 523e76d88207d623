#pragma once

// The order of trials. Search, progress, results, report and the delivered model use this same
// order, so that they agree on the best trial.

#include <cstdint>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// Complete trials come before others, those within the limits before those outside, candidates
/// before the rest, then better values before worse. Ties are broken, in this order, by fewer
/// layers left in float and fewer bytes ("float_layers" and "size_bytes" of the details, 0 where
/// they are absent), by the text of the point and by the number. Only the last depends on the order
/// in which trials ran.
class TrialOrder {
 public:
  explicit TrialOrder(Goal goal) : goal_(goal) {}

  /// True when `a` comes before `b`. This is a strict total order of the trials of a study.
  [[nodiscard]] bool operator()(const Trial& a, const Trial& b) const;
  /// True when `a` is better than `b` before ties are broken.
  [[nodiscard]] bool improves(const Trial& a, const Trial& b) const;

 private:
  Goal goal_;
};

/// Returns the complete trials, best first.
[[nodiscard]] std::vector<const Trial*> ranked(const std::vector<Trial>& trials, Goal goal);

}  // namespace quantsearch
