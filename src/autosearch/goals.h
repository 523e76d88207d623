#pragma once

// What a search wants beyond its metric: other objectives beside it, and limits that a model must keep.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "autosearch/acceptance.h"
#include "quantsearch/autosearch.h"

namespace quantsearch {

inline constexpr const char* kSizeGoal = "size_bytes";
inline constexpr const char* kLatencyGoal = "latency_ms";
inline constexpr const char* kCustomGoal = "custom";  // the score of the user's evaluator

/// Throws InvalidInput when the objectives name an evaluator's score and there is none, or when an evaluator would take the
/// place of a metric that a list names.
void require_objectives(const AutoSearchConfig& config, bool has_evaluator);

class SearchGoals {
 public:
  /// `first`: what decides between trials. `float_scores`: of the float model, its latency where needs_latency().
  /// `evaluator`: may be null.
  SearchGoals(const AutoSearchConfig& config, ObjectiveName first, const Scores& float_scores, const CustomEvaluator* evaluator);

  /// True when a model's latency is an objective or has a limit: then it is measured for every trial.
  [[nodiscard]] static bool needs_latency(const AutoSearchConfig& config);

  [[nodiscard]] const std::vector<ObjectiveName>& objectives() const { return objectives_; }
  [[nodiscard]] std::vector<Goal> goals() const;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::vector<std::string> limit_names() const;
  /// "latency_ms at most 3.2 (the float model's)", one for each limit.
  [[nodiscard]] std::vector<std::string> rules() const;

  /// One value for each objective; empty when there is only the first.
  [[nodiscard]] std::vector<double> values(const Scores& scores) const;
  /// One for each limit: how far beyond it, as a share of it; at most 0 when it is kept.
  [[nodiscard]] std::vector<double> violations(const Scores& scores) const;

 private:
  struct Limit {
    std::string name;
    double most = 0;     // of size, latency, or the loss against the float model
    std::string why;
  };
  [[nodiscard]] double value_of(const std::string& name, const Scores& scores) const;

  std::vector<ObjectiveName> objectives_;
  std::vector<Limit> limits_;
  double float_value_ = 0;  // of the first objective, where the float model has one
};

}  // namespace quantsearch
