#pragma once

// When a trial counts as a candidate: how far from the float model it may be.

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "quantsearch/trials/goals.h"

namespace quantsearch {

/// The one rule of a search, and how it is said.
class Acceptance {
 public:
  /// `float_value`: the float model's own value of the objective; used by top-k and custom scores.
  Acceptance(const GoalConfig& config, bool is_custom, Goal direction,
             std::optional<double> float_value);
  /// `scores` holds the objective; for the default rule worst_slice too, and for that of L1 and L2
  /// rel_l2.
  [[nodiscard]] bool accepts(const std::map<std::string, double>& scores) const;
  [[nodiscard]] const std::string& rule() const { return rule_; }

 private:
  std::string score_;  // which score is looked at
  double limit_ = 0;   // on the good side of this
  Goal direction_ = Goal::minimize;
  // A further score and the most it may be, under the default.
  std::optional<std::pair<std::string, double>> most_;
  std::string rule_;
};

}  // namespace quantsearch
