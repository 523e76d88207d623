#pragma once

// The order of trials. Search, progress, results, report and the delivered model use this same
// order, so that they agree on the best trial.

#include <cstdint>
#include <string>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// "most_accurate", "fastest" or "smallest".
[[nodiscard]] std::string to_string(SearchGoal goal);
/// Throws InvalidInput for another name.
[[nodiscard]] SearchGoal parse_search_goal(const std::string& name);

/// Complete trials come before others, those within the limits before those outside, candidates
/// before the rest. Candidates are then in the order of the goal: by speed in steps of 2 % or by
/// bytes, read from the details. A trial counts as faster than the float model only when the
/// interval of its latency excludes equality; all others are equally fast, and of these the smaller
/// comes first. Of equally fast trials the one with fewer conversions comes first. Then better
/// values come before worse. Ties are broken, in this order, by fewer layers left in float and
/// fewer bytes ("float_layers" and "size_bytes" of the details, 0 where they are absent), by the
/// text of the point and by the number. Only the last depends on the order in which trials ran.
class TrialOrder {
 public:
  explicit TrialOrder(Ranking ranking) : ranking_(ranking) {}

  /// True when `a` comes before `b`. This is a strict total order of the trials of a study.
  [[nodiscard]] bool operator()(const Trial& a, const Trial& b) const;
  /// True when `a` is better than `b` before ties are broken.
  [[nodiscard]] bool improves(const Trial& a, const Trial& b) const;

 private:
  Ranking ranking_;
};

/// Returns the complete trials, best first.
[[nodiscard]] std::vector<const Trial*> ranked(const std::vector<Trial>& trials, Ranking ranking);

}  // namespace quantsearch
