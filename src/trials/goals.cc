#include "quantsearch/trials/goals.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {

namespace {

const std::string kDrop = "drop";

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

ObjectiveName named(const std::string& name, const CustomEvaluator* evaluator) {
  if (name == kCustomGoal) return {.name = name, .goal = evaluator->direction};
  if (name == kSizeGoal || name == kLatencyGoal) return {.name = name, .goal = Goal::minimize};
  return {.name = name, .goal = metric_info(parse_metric(name)).direction};
}

void require_latency(const GoalConfig& config) {
  if (config.latency) return;
  const char* const user = config.goal == SearchGoal::fastest ? "search_goal fastest"
                           : SearchGoals::needs_latency(config)
                               ? "latency_ms as an objective or limit"
                               : nullptr;
  if (user == nullptr) return;
  throw InvalidInput(fmt::format(
      "search: {} needs latencies, and search_latency: false (--no-latency) forbids to measure "
      "them; leave out one of the two",
      user));
}

}  // namespace

void require_objectives(const GoalConfig& config, bool has_evaluator) {
  require_latency(config);
  const bool is_later = is_among(config.more_objectives, kCustomGoal);
  if (!has_evaluator && (config.named_first == kCustomGoal || is_later)) {
    throw InvalidInput(
        "search: search_metric names 'custom', the score of an evaluator, and there is none; give "
        "search_evaluator or leave it out");
  }
  if (has_evaluator && !is_later && !config.named_first.empty() &&
      config.named_first != kCustomGoal) {
    throw InvalidInput(
        fmt::format("search: search_metric begins with '{0}' in a list without 'custom', and an "
                    "evaluator is given, whose score would take "
                    "the place of '{0}'; put 'custom' into the list, or leave out search_evaluator",
                    config.named_first));
  }
}

ObjectiveName objective_of(const GoalConfig& config,
                           const std::optional<CustomEvaluator>& evaluator) {
  const bool is_later =
      std::ranges::find(config.more_objectives, "custom") != config.more_objectives.end();
  if (evaluator && !is_later) return {.name = "custom", .goal = evaluator->direction};
  const MetricInfo& info = metric_info(config.metric);
  return {.name = info.name, .goal = info.direction};
}

std::vector<Metric> recorded_metrics(const GoalConfig& config, bool has_labels) {
  std::set<Metric> metrics = {config.metric,       Metric::l2,  Metric::rel_l2,
                              Metric::worst_slice, Metric::cos, Metric::sqnr};
  for (const std::string& name : config.more_objectives) {
    if (name != kSizeGoal && name != kLatencyGoal && name != kCustomGoal)
      metrics.insert(parse_metric(name));
  }
  if (has_labels) {
    metrics.insert(Metric::top1);
    metrics.insert(Metric::top5);
  }
  return {metrics.begin(), metrics.end()};
}

double custom_score(const CustomEvaluator& evaluator, const Model& model,
                    const CancellationToken& token) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "model.onnx";
  save_model(model, file);
  const double score = evaluator.score(file, token);
  if (!std::isfinite(score))
    throw IoError(
        fmt::format("evaluate: the custom evaluator returned {}, expected a finite number", score));
  return score;
}

bool SearchGoals::needs_latency(const GoalConfig& config) {
  const bool is_objective = is_among(config.more_objectives, kLatencyGoal);
  const auto limit = config.limits.find(kLatencyGoal);
  return is_objective || (limit != config.limits.end() && limit->second);
}

SearchGoals::SearchGoals(const GoalConfig& config, ObjectiveName first, const Scores& float_scores,
                         const CustomEvaluator* evaluator) {
  if (const auto found = float_scores.metrics.find(first.name); found != float_scores.metrics.end())
    float_value_ = found->second;
  objectives_.push_back(std::move(first));
  for (const std::string& name : config.more_objectives)
    objectives_.push_back(named(name, evaluator));
  for (const auto& [name, most] : config.limits) {
    if (most) limits_.push_back({.name = name, .most = *most, .why = {}});
  }
  // A user who measures the latency has no use for a model that is slower than the float model.
  if (needs_latency(config) && !config.limits.contains(kLatencyGoal)) {
    limits_.push_back({.name = kLatencyGoal,
                       .most = float_scores.latency.value().median_ms,
                       .why = " (the float model's)"});
  }
}

std::vector<Goal> SearchGoals::goals() const {
  std::vector<Goal> goals;
  for (const ObjectiveName& objective : objectives_) goals.push_back(objective.goal);
  return goals;
}

std::vector<std::string> SearchGoals::names() const {
  std::vector<std::string> names;
  for (const ObjectiveName& objective : objectives_) names.push_back(objective.name);
  return names;
}

std::vector<std::string> SearchGoals::limit_names() const {
  std::vector<std::string> names;
  for (const Limit& limit : limits_) names.push_back(limit.name);
  return names;
}

std::vector<std::string> SearchGoals::rules() const {
  std::vector<std::string> rules;
  for (const Limit& limit : limits_) {
    const std::string what = limit.name == kDrop
                                 ? fmt::format("{} worse than float by", objectives_.front().name)
                                 : limit.name;
    rules.push_back(fmt::format("{} at most {:.6g}{}", what, limit.most, limit.why));
  }
  return rules;
}

double SearchGoals::value_of(const std::string& name, const Scores& scores) const {
  if (name == kSizeGoal) return static_cast<double>(scores.size_bytes);
  if (name == kLatencyGoal) return scores.latency.value().median_ms;
  if (name != kDrop) return scores.metrics.at(name);
  const ObjectiveName& first = objectives_.front();
  const double value = scores.metrics.at(first.name);
  return first.goal == Goal::maximize ? float_value_ - value : value - float_value_;
}

std::vector<double> SearchGoals::values(const Scores& scores) const {
  if (objectives_.size() == 1) return {};
  std::vector<double> values;
  for (const ObjectiveName& objective : objectives_)
    values.push_back(value_of(objective.name, scores));
  return values;
}

std::vector<double> SearchGoals::violations(const Scores& scores) const {
  std::vector<double> violations;
  for (const Limit& limit : limits_) {
    const double beyond = value_of(limit.name, scores) - limit.most;
    violations.push_back(limit.most > 0 ? beyond / limit.most : beyond);
  }
  return violations;
}

}  // namespace quantsearch
