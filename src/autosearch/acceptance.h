#pragma once

// When a trial counts as a candidate: how far from the float model it may be.

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "quantsearch/autosearch.h"

namespace quantsearch {

/// What a search optimizes: a metric, or "custom".
struct ObjectiveName {
  std::string name;
  Direction direction = Direction::minimize;
  [[nodiscard]] Goal goal() const { return direction == Direction::minimize ? Goal::minimize : Goal::maximize; }
};
/// The evaluator's score, unless the metric heads a list that names the score later.
[[nodiscard]] ObjectiveName objective_of(const AutoSearchConfig& config, const std::optional<CustomEvaluator>& evaluator);

/// The one rule of a search, and how it is said.
class Acceptance {
 public:
  /// `float_value`: the float model's own value of the objective; used by top-k and custom scores.
  Acceptance(const AutoSearchConfig& config, bool is_custom, Direction direction, std::optional<double> float_value);
  /// `scores` holds the objective; for the default rule worst_slice too, and for that of L1 and L2 rel_l2.
  [[nodiscard]] bool accepts(const std::map<std::string, double>& scores) const;
  [[nodiscard]] const std::string& rule() const { return rule_; }

 private:
  std::string score_;      // which score is looked at
  double limit_ = 0;       // on the good side of this
  Direction direction_ = Direction::minimize;
  std::optional<std::pair<std::string, double>> most_;  // a further score and the most it may be, under the default
  std::string rule_;
};

}  // namespace quantsearch
