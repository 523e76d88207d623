#pragma once

// The one order of trials: what search, progress, results, report and the delivered model call the
// best.

#include <cstdint>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// Complete trials go before others, those that keep the limits before those that do not,
/// candidates before the rest, then the better value. Between equal ones decide, in this order:
/// fewer layers left in float and fewer bytes ("float_layers" and "size_bytes" of the details, 0
/// where they are absent), the text of the point, the number. Only the last depends on the order in
/// which trials ran.
class TrialOrder {
 public:
  explicit TrialOrder(Goal goal) : goal_(goal) {}

  /// True when `a` goes before `b`: a strict total order of the trials of a study.
  [[nodiscard]] bool operator()(const Trial& a, const Trial& b) const;
  /// True when `a` is better by more than what decides between equal trials.
  [[nodiscard]] bool improves(const Trial& a, const Trial& b) const;

 private:
  Goal goal_;
};

/// The complete trials, best first.
[[nodiscard]] std::vector<const Trial*> ranked(const std::vector<Trial>& trials, Goal goal);

}  // namespace quantsearch
