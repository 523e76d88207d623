#pragma once

// Which of two values is better.

namespace quantsearch {

enum class Goal { minimize, maximize };

/// The comparison is strict: of two equal values neither is better.
[[nodiscard]] constexpr bool is_better(double value, double than, Goal goal) {
  return goal == Goal::minimize ? value < than : value > than;
}

}  // namespace quantsearch
