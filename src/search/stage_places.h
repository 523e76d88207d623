#pragma once

// Places that keep the stages of their trials each for itself compute a stage once each. This
// decides which trial a place runs next, so that few stages are computed at several places.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <unordered_map>
#include <vector>

#include "search/run_trial.h"

namespace quantsearch {

class StagePlaces {
 public:
  /// Returns the index of the waiting trial that `place` should run: the one with the fewest stages
  /// that other places have computed and this one has not; the first of several. A place thus stays
  /// with the trials whose stages it has, and begins with others where the fewest are shared.
  /// `waiting` is not empty.
  [[nodiscard]] std::size_t choose(std::int64_t place, const std::deque<TrialRun>& waiting) const;
  /// Notes that `place` computes these stages.
  void note(std::int64_t place, const std::vector<Key>& stages);

 private:
  [[nodiscard]] std::size_t computed_elsewhere(std::int64_t place,
                                               const std::vector<Key>& stages) const;

  std::unordered_map<Key, std::set<std::int64_t>> places_;  // by stage
};

}  // namespace quantsearch
