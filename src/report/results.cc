// Converts results.json to and from values.

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "quantsearch/base/error.h"
#include "quantsearch/report.h"
#include "quantsearch/search/kept_trials.h"
#include "quantsearch/search/pareto.h"
#include "quantsearch/search/trial_details.h"
#include "quantsearch/search/trial_order.h"
#include "report/results_parts.h"

namespace quantsearch {

namespace {

const Value& member(const Value& value, const char* key) {
  const Value* found = value.find(key);
  if (found == nullptr)
    throw InvalidInput(
        fmt::format("results: got no '{}', expected a results.json of schema 1", key));
  return *found;
}

Value to_value(const std::map<std::string, double>& scores) {
  Value value(Value::Map{});
  for (const auto& [name, score] : scores) value.set(name, score);
  return value;
}

std::map<std::string, double> scores_from(const Value& value) {
  std::map<std::string, double> scores;
  for (const auto& [name, score] : value.as_map()) {
    if (!score.is_null()) scores[name] = score.as_double();  // null: it was not finite
  }
  return scores;
}

void add_model(Value& value, const ModelResult& model) {
  value.set("scores", to_value(model.scores));
  value.set("size_bytes", model.size_bytes);
  value.set("latency_ms", model.latency_ms ? Value(*model.latency_ms) : Value());
  if (model.latency_ratio) value.set("latency_ratio", to_value(*model.latency_ratio));
  if (model.conversions) value.set("conversions", *model.conversions);
}

ModelResult model_from(const Value& value) {
  ModelResult model{.scores = scores_from(member(value, "scores")),
                    .size_bytes = member(value, "size_bytes").as_int(),
                    .latency_ms = {}};
  const Value& latency = member(value, "latency_ms");
  if (!latency.is_null()) model.latency_ms = latency.as_double();
  return model;
}

Value to_value(const std::map<std::string, StageResult>& stages) {
  Value value(Value::Map{});
  for (const auto& [name, stage] : stages)
    value.set(name, Value::Map{{"seconds", stage.seconds}, {"cached", stage.cached}});
  return value;
}

Value to_value(const ArithmeticScores& scores) {
  Value value = Value::Map{{"graph", to_value(scores.graph)},
                           {"processor", to_value(scores.processor)},
                           {"differ", scores.differ}};
  if (!scores.advice.empty()) value.set("advice", scores.advice);
  return value;
}

ArithmeticScores arithmetic_from(const Value& value) {
  ArithmeticScores scores{.graph = scores_from(member(value, "graph")),
                          .processor = scores_from(member(value, "processor")),
                          .differ = member(value, "differ").as_bool()};
  if (const Value* advice = value.find("advice")) scores.advice = advice->as_string();
  return scores;
}

Value to_value(const TrialResult& trial) {
  Value value(Value::Map{});
  value.set("number", trial.number);
  value.set("state", to_string(trial.state));
  value.set("config", Value::Map(trial.config.begin(), trial.config.end()));
  add_model(value, trial.model);
  value.set("candidate", trial.is_candidate);
  value.set("feasible", trial.is_feasible);
  if (trial.float_layers) value.set("float_layers", *trial.float_layers);
  if (trial.memory_bytes) value.set("memory_bytes", *trial.memory_bytes);
  if (trial.ended_at) value.set("ended_at", *trial.ended_at);
  value.set("seconds", trial.seconds);
  value.set("stages", to_value(trial.stages));
  value.set("reason", trial.reason);
  if (trial.arithmetic) value.set("arithmetic", to_value(*trial.arithmetic));
  for (const auto& [name, rows] : trial.layer_tables) value.set(name, rows);
  return value;
}

TrialState state_from(const std::string& name) {
  if (const auto state = parse_trial_state(name)) return *state;
  throw InvalidInput(fmt::format(
      "results: got the trial state '{}', expected complete, failed, pruned or interrupted", name));
}

TrialResult trial_from(const Value& value) {
  TrialDetails details = details_from(value);  // the same keys
  TrialResult trial;
  trial.number = member(value, "number").as_int();
  trial.state = state_from(member(value, "state").as_string());
  for (const auto& [name, choice] : member(value, "config").as_map())
    trial.config.emplace(name, choice);
  trial.model = model_from(value);
  trial.model.latency_ratio = details.latency_ratio;
  trial.model.conversions = details.conversions;
  trial.is_candidate = member(value, "candidate").as_bool();
  // Absent in older files.
  if (const Value* feasible = value.find("feasible")) trial.is_feasible = feasible->as_bool();
  trial.float_layers = details.float_layers;
  trial.memory_bytes = details.memory_bytes;
  trial.ended_at = details.ended_at;
  trial.seconds = member(value, "seconds").as_double();
  trial.stages = std::move(details.stages);
  trial.reason = member(value, "reason").as_string();
  if (const Value* scores = value.find("arithmetic")) trial.arithmetic = arithmetic_from(*scores);
  trial.layer_tables = std::move(details.layer_tables);
  return trial;
}

/// A score that is null in JSON was not finite.
double score_from(const Value& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.as_double();
}

Confirmation confirmation_from(const Value& value) {
  Confirmation confirmation{.samples = member(value, "samples").as_int(),
                            .float_score = score_from(member(value, "float")),
                            .scores = {}};
  for (const Value& row : member(value, "scores").as_list()) {
    confirmation.scores.emplace_back(member(row, "trial").as_int(),
                                     score_from(member(row, "score")));
  }
  return confirmation;
}

SpaceSummary space_from(const Value& value) {
  SpaceSummary space{.raw = member(value, "raw").as_int(),
                     .distinct = member(value, "distinct").as_int(),
                     .filtered = {},
                     .complete = member(value, "complete").as_bool()};
  for (const auto& [reason, count] : member(value, "filtered").as_map())
    space.filtered[reason] = count.as_int();
  return space;
}

TrialsSoFar trials_of(Ranking ranking, const std::vector<Goal>& goals, const VisitTrials& visit) {
  TrialsSoFar trials(ranking, goals);
  visit([&trials](Trial&& trial) {
    if (trial.state == TrialState::running) {
      ++trials.running;
    } else {
      trials.add(std::move(trial));
    }
  });
  return trials;
}

}  // namespace

Value to_value(const SpaceSummary& space) {
  Value filtered(Value::Map{});
  for (const auto& [reason, count] : space.filtered) filtered.set(reason, count);
  return Value::Map{{"raw", space.raw},
                    {"distinct", space.distinct},
                    {"complete", space.complete},
                    {"filtered", filtered}};
}

Value to_value(const Confirmation& confirmation) {
  Value::List scores;
  for (const auto& [number, score] : confirmation.scores)
    scores.push_back(Value::Map{{"trial", number}, {"score", score}});
  return Value::Map{
      {"samples", confirmation.samples}, {"float", confirmation.float_score}, {"scores", scores}};
}

TrialResult trial_result(const Trial& trial) {
  TrialDetails details = details_from(trial.details);
  return {.number = trial.number,
          .state = trial.state,
          .config = trial.point,
          .model = {.scores = std::move(details.scores),
                    .size_bytes = details.size_bytes,
                    .latency_ms = details.latency_ms,
                    .latency_ratio = details.latency_ratio,
                    .conversions = details.conversions},
          .is_candidate = trial.is_candidate,
          .is_feasible = is_feasible(trial),
          .float_layers = details.float_layers,
          .memory_bytes = details.memory_bytes,
          .ended_at = details.ended_at,
          .seconds = trial.seconds,
          .stages = std::move(details.stages),
          .reason = trial.reason,
          .layer_tables = std::move(details.layer_tables),
          .arithmetic = {}};
}

VisitTrials visit_of(const std::vector<Trial>& trials) {
  return [&trials](const std::function<void(Trial &&)>& take) {
    for (const Trial& trial : trials) take(Trial(trial));
  };
}

void TrialsSoFar::add(Trial ended) {
  seconds += ended.seconds;
  kept.add(std::move(ended));
}

TrialResult scored_result(const Trial& trial, const std::string& objective) {
  TrialResult result = trial_result(trial);
  if (trial.state == TrialState::complete) result.model.scores.emplace(objective, *trial.value);
  return result;
}

ResultsDocument results_so_far(ResultsDocument document, const std::vector<Goal>& goals,
                               const TrialsSoFar& so_far) {
  const std::vector<Trial> trials = so_far.kept.trials();
  for (const Trial& trial : trials)
    document.trials.push_back(scored_result(trial, document.objective));
  document.trials_in_all = so_far.kept.in_all();
  document.seconds += so_far.seconds;
  if (goals.size() > 1) document.front = pareto_front(trials, goals);
  const std::vector<const Trial*> best_first = ranked(trials, document.ranking());
  if (!best_first.empty()) document.best = best_first.front()->number;
  for (const Trial* trial : best_first) {
    if (trial->is_candidate) document.candidates.push_back(trial->number);
  }
  document.stop_message = fmt::format("{} running", so_far.running);
  return document;
}

ResultsDocument results_so_far(ResultsDocument document, const std::vector<Goal>& goals,
                               const VisitTrials& visit) {
  const TrialsSoFar trials = trials_of(document.ranking(), goals, visit);
  return results_so_far(std::move(document), goals, trials);
}

ResultsDocument results_of(const std::string& study, const std::string& objective,
                           const std::vector<Goal>& goals, const TrialsSoFar& trials) {
  ResultsDocument head;
  head.model = study;
  head.objective = objective;
  head.goal = goals.front();
  head.tolerance = "as the search was told";
  ResultsDocument document = results_so_far(std::move(head), goals, trials);
  document.stop_reason = trials.running > 0 ? kRunning : "unknown";
  return document;
}

ResultsDocument results_of(const std::string& study, const std::string& objective,
                           const std::vector<Goal>& goals, const VisitTrials& visit) {
  return results_of(study, objective, goals, trials_of(goals.front(), goals, visit));
}

Value to_value(const ResultsDocument& document) {
  Value value(Value::Map{});
  value.set("schema", 1);
  value.set("model", document.model);
  value.set("objective", document.objective);
  value.set("direction", document.goal == Goal::minimize ? "minimize" : "maximize");
  if (document.search_goal != SearchGoal::most_accurate)  // absent in older files, too
    value.set("goal", to_string(document.search_goal));
  value.set("tolerance", document.tolerance);
  if (!document.warnings.empty())
    value.set("warnings", Value::List(document.warnings.begin(), document.warnings.end()));
  Value of_float(Value::Map{});
  add_model(of_float, document.float_model);
  value.set("float", of_float);
  Value::List trials;
  for (const TrialResult& trial : document.trials) trials.push_back(to_value(trial));
  value.set("trials", trials);
  if (document.trials_in_all) value.set("trials_in_all", *document.trials_in_all);
  value.set("best", document.best ? Value(*document.best) : Value());
  if (document.base_trial) value.set("base_trial", *document.base_trial);
  if (!document.base_note.empty()) value.set("base_note", document.base_note);
  value.set("candidates", Value::List(document.candidates.begin(), document.candidates.end()));
  if (document.confirmation) value.set("confirmation", to_value(*document.confirmation));
  if (!document.front.empty())
    value.set("front", Value::List(document.front.begin(), document.front.end()));
  if (const auto importances = importances_of(document); !importances.empty()) {
    Value shares(Value::Map{});
    for (const ParameterImportance& parameter : importances)
      shares.set(parameter.name, parameter.share);
    value.set("importances", shares);
  }
  value.set("stop_reason", document.stop_reason);
  value.set("stop_message", document.stop_message);
  value.set("space", to_value(document.space));
  value.set("cache", Value::Map{{"hits", document.cache_hits},
                                {"misses", document.cache_misses},
                                {"seconds_saved", document.cache_seconds_saved}});
  value.set("seconds", document.seconds);
  value.set("peak_rss_bytes", document.peak_rss_bytes);
  value.set("for_npu", document.for_npu);
  if (!document.activation_type.empty()) value.set("activation_type", document.activation_type);
  value.set("device", document.device);
  if (document.processor) value.set("processor", to_value(*document.processor));
  if (!document.provenance.is_null()) value.set("provenance", document.provenance);
  if (!document.placement.is_null()) value.set("placement", document.placement);
  if (!document.sensitivity.is_null()) value.set("sensitivity", document.sensitivity);
  if (!document.rebuild_command.empty()) value.set("rebuild_command", document.rebuild_command);
  if (!document.layers.is_null()) value.set("layers", document.layers);
  return value;
}

ResultsDocument results_from(const Value& value) {
  if (!(member(value, "schema") == Value(1))) {
    throw InvalidInput(
        fmt::format("results: got schema {}, expected 1", to_json(member(value, "schema"))));
  }
  ResultsDocument document;
  document.model = member(value, "model").as_string();
  document.objective = member(value, "objective").as_string();
  document.goal = member(value, "direction") == Value("maximize") ? Goal::maximize : Goal::minimize;
  if (const Value* goal = value.find("goal"))
    document.search_goal = parse_search_goal(goal->as_string());
  document.tolerance = member(value, "tolerance").as_string();
  if (const Value* warnings = value.find("warnings")) {
    for (const Value& warning : warnings->as_list())
      document.warnings.push_back(warning.as_string());
  }
  document.float_model = model_from(member(value, "float"));
  for (const Value& trial : member(value, "trials").as_list())
    document.trials.push_back(trial_from(trial));
  if (const Value* count = value.find("trials_in_all")) document.trials_in_all = count->as_int();
  if (!member(value, "best").is_null()) document.best = member(value, "best").as_int();
  for (const Value& number : member(value, "candidates").as_list())
    document.candidates.push_back(number.as_int());
  if (const Value* confirmation = value.find("confirmation"))
    document.confirmation = confirmation_from(*confirmation);
  if (const Value* front = value.find("front")) {
    for (const Value& number : front->as_list()) document.front.push_back(number.as_int());
  }
  document.stop_reason = member(value, "stop_reason").as_string();
  document.stop_message = member(value, "stop_message").as_string();
  document.space = space_from(member(value, "space"));
  const Value& cache = member(value, "cache");
  document.cache_hits = member(cache, "hits").as_int();
  document.cache_misses = member(cache, "misses").as_int();
  document.cache_seconds_saved = member(cache, "seconds_saved").as_double();
  document.seconds = member(value, "seconds").as_double();
  document.peak_rss_bytes = member(value, "peak_rss_bytes").as_int();
  // Absent in older files.
  if (const Value* for_npu = value.find("for_npu")) document.for_npu = for_npu->as_bool();
  if (const Value* type = value.find("activation_type"))
    document.activation_type = type->as_string();
  if (const Value* device = value.find("device")) document.device = device->as_string();
  if (const Value* processor = value.find("processor"))
    document.processor = processor_from(*processor);
  if (const Value* provenance = value.find("provenance")) document.provenance = *provenance;
  if (const Value* placement = value.find("placement")) document.placement = *placement;
  if (const Value* sensitivity = value.find("sensitivity")) document.sensitivity = *sensitivity;
  if (const Value* base = value.find("base_trial")) document.base_trial = base->as_int();
  if (const Value* note = value.find("base_note")) document.base_note = note->as_string();
  if (const Value* command = value.find("rebuild_command"))
    document.rebuild_command = command->as_string();
  if (const Value* layers = value.find("layers")) document.layers = *layers;
  return document;
}

}  // namespace quantsearch
