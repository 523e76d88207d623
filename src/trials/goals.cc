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

ObjectiveName named(const std::string& name, const std::optional<ScoreNames>& evaluator) {
  if (name == kSizeGoal || name == kLatencyGoal) return {.name = name, .goal = Goal::minimize};
  if (is_evaluator_score(name)) return {.name = name, .goal = evaluator.value().direction_of(name)};
  return {.name = name, .goal = metric_info(parse_metric(name)).direction};
}

bool is_metric(const std::string& name) {
  return std::ranges::any_of(all_metrics(),
                             [&](const MetricInfo& info) { return info.name == name; });
}

/// The first objective that is a score of an evaluator; null when there is none.
const std::string* evaluator_score(const GoalConfig& config) {
  if (is_evaluator_score(config.named_first) && !config.named_first.empty())
    return &config.named_first;
  const auto found = std::ranges::find_if(config.more_objectives, is_evaluator_score);
  return found == config.more_objectives.end() ? nullptr : &*found;
}

/// Throws IoError for a score that results could not tell from one of the search.
void require_own_name(const std::string& name) {
  if (is_evaluator_score(name) && !name.empty() && name != kDrop) return;
  throw IoError(fmt::format(
      "evaluate: the evaluator gave a score the name '{}', which the search uses itself; choose "
      "another one",
      name));
}

std::string names_in(const std::map<std::string, double>& scores) {
  std::string text;
  for (const auto& [name, score] : scores)
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", name);
  return text;
}

/// `decides`: empty when nothing has to decide.
std::map<std::string, double> by_name(const EvaluatorScores& given, const std::string& decides) {
  std::map<std::string, double> scores = given.named;
  if (given.number) scores[kCustomGoal] = *given.number;
  for (const auto& [name, score] : scores) {
    require_own_name(name);
    if (std::isfinite(score)) continue;
    throw IoError(
        fmt::format("evaluate: the custom evaluator returned {}{}, expected a finite number", score,
                    name == kCustomGoal ? "" : fmt::format(" as '{}'", name)));
  }
  if (decides != kCustomGoal || scores.contains(kCustomGoal)) return scores;
  if (scores.size() != 1) {
    throw IoError(
        fmt::format("evaluate: the evaluator gave the scores {}, expected search_metric "
                    "(--metric) to name the one that decides",
                    scores.empty() ? "of nothing" : names_in(scores)));
  }
  scores[kCustomGoal] = scores.begin()->second;
  return scores;
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

CustomEvaluator evaluator_of(const CommandEvaluator& program, const LogSink& log) {
  CustomEvaluator evaluator{
      .score = {}, .direction = program.direction, .directions = program.directions};
  if (!program.stays_alive) {
    evaluator.score = [program](const std::filesystem::path& model,
                                const CancellationToken& token) {
      return run_command_evaluator(program, model, token);
    };
    return evaluator;
  }
  const auto server = std::make_shared<EvaluatorServer>(program, log);
  evaluator.score = [server](const std::filesystem::path& model, const CancellationToken& token) {
    return server->score(model, token);
  };
  evaluator.rest = [server] { server->rest(); };
  return evaluator;
}

Goal ScoreNames::direction_of(const std::string& name) const {
  const auto found = directions.find(name);
  return found == directions.end() ? direction : found->second;
}

ScoreNames score_names(const CustomEvaluator& evaluator) {
  return {.direction = evaluator.direction, .directions = evaluator.directions};
}

ScoreNames score_names(const TaskConfig& task) {
  return {.first = scores_of(task).front(), .direction = Goal::maximize};
}

bool is_evaluator_score(const std::string& name) {
  return name != kSizeGoal && name != kLatencyGoal && !is_metric(name);
}

void require_objectives(const GoalConfig& config, bool has_evaluator) {
  require_latency(config);
  const std::string* const score = evaluator_score(config);
  if (!has_evaluator && score != nullptr) {
    throw InvalidInput(
        fmt::format("search: search_metric names '{}', the score of an evaluator, and there is "
                    "none; give search_evaluator or leave it out",
                    *score));
  }
  if (has_evaluator && score == nullptr && !config.named_first.empty()) {
    throw InvalidInput(
        fmt::format("search: search_metric begins with '{0}' in a list without a score of the "
                    "evaluator, which would take the place of '{0}'; put 'custom' into the list, "
                    "or leave out search_evaluator",
                    config.named_first));
  }
}

ObjectiveName objective_of(const GoalConfig& config, const std::optional<ScoreNames>& evaluator) {
  const bool is_first = !config.named_first.empty() && is_evaluator_score(config.named_first);
  if (evaluator && (is_first || evaluator_score(config) == nullptr)) {
    const std::string& name =
        is_first && config.named_first != kCustomGoal ? config.named_first : evaluator->first;
    return {.name = name,
            .goal = evaluator->direction_of(name),
            .tolerated_share = evaluator->tolerated_share};
  }
  const MetricInfo& info = metric_info(config.metric);
  return {.name = info.name, .goal = info.direction};
}

std::vector<Metric> recorded_metrics(const GoalConfig& config, bool has_labels) {
  std::set<Metric> metrics = {config.metric,       Metric::l2,  Metric::rel_l2,
                              Metric::worst_slice, Metric::cos, Metric::sqnr};
  for (const std::string& name : config.more_objectives) {
    if (is_metric(name)) metrics.insert(parse_metric(name));
  }
  if (has_labels) {
    metrics.insert(Metric::top1);
    metrics.insert(Metric::top5);
  }
  return {metrics.begin(), metrics.end()};
}

std::map<std::string, double> custom_scores(const CustomEvaluator& evaluator,
                                            const std::vector<std::string>& objectives,
                                            const Model& model, const CancellationToken& token) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "model.onnx";
  save_model(model, file);
  // A metric may decide, and another objective be a score of the evaluator.
  const std::string decides = objectives.empty() ? "" : objectives.front();
  std::map<std::string, double> scores = by_name(evaluator.score(file, token), decides);
  for (const std::string& name : objectives) {
    if (!is_evaluator_score(name) || scores.contains(name)) continue;
    throw IoError(fmt::format("evaluate: search_metric names '{}', and the evaluator gave {}", name,
                              names_in(scores)));
  }
  return scores;
}

bool SearchGoals::needs_latency(const GoalConfig& config) {
  const bool is_objective = is_among(config.more_objectives, kLatencyGoal);
  const auto limit = config.limits.find(kLatencyGoal);
  return is_objective || (limit != config.limits.end() && limit->second);
}

SearchGoals::SearchGoals(const GoalConfig& config, ObjectiveName first, const Scores& float_scores,
                         const std::optional<ScoreNames>& evaluator) {
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
