#pragma once

// The trials of earlier runs of a study, for a search that repeats them: their points are known at
// once, and the trials themselves are read when it is their turn.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>

#include "quantsearch/search/study.h"

namespace quantsearch {

class EarlierTrials {
 public:
  /// The store must outlive this object.
  explicit EarlierTrials(StudyStore& store);

  /// The number of the finished trial of an earlier run with this point.
  [[nodiscard]] std::optional<std::int64_t> number_of(const Point& point) const;
  /// The next trial in the order of numbers; null when all have been taken.
  [[nodiscard]] const Trial* next();
  /// Takes the trial that next() returned.
  [[nodiscard]] Trial take();

 private:
  [[nodiscard]] bool was_finished(const Trial& trial) const;

  std::unordered_map<Key, std::int64_t> numbers_;  // by point
  std::unique_ptr<TrialPages> pages_;
  std::deque<Trial> read_;
};

}  // namespace quantsearch
