#pragma once

// Which of two values, and which of two trials, is better.

namespace quantsearch {

enum class Goal { minimize, maximize };

/// The comparison is strict: of two equal values neither is better.
[[nodiscard]] constexpr bool is_better(double value, double than, Goal goal) {
  return goal == Goal::minimize ? value < than : value > than;
}

/// What a search looks for among the trials within its limits and its tolerance.
enum class SearchGoal {
  most_accurate,  // the best value of the first objective
  /// The least latency beside the float model. When no trial is faster than the float model, the
  /// smallest.
  fastest,
  smallest,  // the fewest bytes
};
/// What makes one trial better than another.
struct Ranking {
  Ranking(Goal value, SearchGoal goal = SearchGoal::most_accurate)  // NOLINT(google-explicit-*)
      : value(value), goal(goal) {}

  Goal value;  // direction of Trial::value
  SearchGoal goal;
  bool operator==(const Ranking&) const = default;
};

}  // namespace quantsearch
