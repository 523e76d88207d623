#pragma once

// A bounded part of the trials of a study, so that a study of a million trials takes as much memory
// as one of ten thousand.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// Up to `history` trials every one is kept. Of more, these are kept: the best, the front when
/// there are several objectives, the latest incumbents, and a history that is thinned evenly: every
/// second trial by number, then every fourth and so on, so that between half of `history` and
/// `history` remain. What is kept depends on the trials alone, and on the order in which they are
/// added only when the front or the incumbents pass their bounds.
class KeptTrials {
 public:
  struct Bounds {
    std::size_t history = 10'000;
    std::size_t best = 1'000;
    std::size_t front = 1'000;  // the trials that entered it first
    std::size_t incumbents = 1'000;
  };
  /// `goals`: one for each objective; the front is kept when there are several.
  KeptTrials(Ranking ranking, std::vector<Goal> goals, const Bounds& bounds);
  KeptTrials(Ranking ranking, std::vector<Goal> goals)
      : KeptTrials(ranking, std::move(goals), Bounds()) {}
  ~KeptTrials();
  KeptTrials(KeptTrials&&) noexcept;
  KeptTrials& operator=(KeptTrials&&) noexcept;

  /// Adds a trial, unless a kept one has its number.
  void add(Trial trial);

  /// The number of trials that were added.
  [[nodiscard]] std::int64_t added() const;
  /// The same when a part of them is kept; nullopt when all are.
  [[nodiscard]] std::optional<std::int64_t> in_all() const;
  /// The kept trials, by number.
  [[nodiscard]] std::vector<Trial> trials() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch
