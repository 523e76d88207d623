#pragma once

// Decides whether a trial is a candidate, that is, whether it is close enough to the float model.

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "quantsearch/trials/goals.h"

namespace quantsearch {

/// The acceptance rule of a search and its text.
class Acceptance {
 public:
  /// `objective`: the score that decides, of `config.metric` or of an evaluator. `float_value`: its
  /// value for the float model, used for top-k and the scores of evaluators.
  Acceptance(const GoalConfig& config, const ObjectiveName& objective,
             std::optional<double> float_value);
  /// `scores` must contain the objective; under the default rule also worst_slice, and for L1 and
  /// L2 also rel_l2.
  [[nodiscard]] bool accepts(const std::map<std::string, double>& scores) const;
  [[nodiscard]] const std::string& rule() const { return rule_; }
  /// The largest distances that are accepted, by metric. A model that exceeds one is not accepted;
  /// one that keeps them all may still be refused for a score that is no distance.
  [[nodiscard]] std::map<Metric, double> distance_limits() const;
  /// The least share of right answers that is accepted; nullopt unless the metric is an accuracy.
  [[nodiscard]] std::optional<double> accuracy_limit() const;

 private:
  std::string score_;               // name of the score that is compared
  double limit_ = 0;                // the score must not be worse than this
  std::optional<Metric> distance_;  // the metric of `score_`, when it is a distance
  bool is_accuracy_ = false;
  Goal direction_ = Goal::minimize;
  // Under the default rule, another score and its upper limit.
  std::optional<std::pair<std::string, double>> most_;
  std::string rule_;
};

}  // namespace quantsearch
