// The data of report.html. docs/report.md describes the keys.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "quantsearch/report.h"
#include "quantsearch/search/trial_order.h"
#include "report/next_steps.h"
#include "report/results_parts.h"
#include "report/standing.h"

namespace quantsearch {

namespace {

/// The value with six digits: what is drawn and listed needs no more, and thousands of trials fit.
Value rounded(double value) {
  if (!std::isfinite(value)) return {};
  return std::stod(fmt::format("{:.6g}", value));
}

Value rounded(const std::optional<double>& value) { return value ? rounded(*value) : Value(); }

/// The same with every number in it rounded.
Value rounded(const Value& value) {
  if (value.is_double()) return rounded(value.as_double());
  if (value.is_list()) {
    Value::List list;
    for (const Value& item : value.as_list()) list.push_back(rounded(item));
    return list;
  }
  if (value.is_map()) {
    Value::Map map;
    for (const auto& [key, item] : value.as_map()) map.emplace_back(key, rounded(item));
    return map;
  }
  return value;
}

Value rounded(const std::map<std::string, double>& scores) {
  Value::Map map;
  for (const auto& [name, score] : scores) map.emplace_back(name, rounded(score));
  return map;
}

template <typename Number>
Value or_null(const std::optional<Number>& number) {
  return number ? Value(*number) : Value();
}

void add_model_data(Value& value, const ModelResult& model) {
  value.set("scores", rounded(model.scores));
  value.set("size_bytes", model.size_bytes > 0 ? Value(model.size_bytes) : Value());
  value.set("latency_ms", rounded(model.latency_ms));
  if (!model.latency_ratio) return;
  const LatencyRatio& ratio = *model.latency_ratio;
  value.set("latency_ratio",
            Value::List{rounded(ratio.ratio), rounded(ratio.low), rounded(ratio.high)});
}

/// The settings that differ between the trials, and those that all of them have.
struct Settings {
  std::vector<std::string> varying;
  Value::Map constant;
};

Settings split_settings(const std::vector<TrialResult>& trials) {
  std::set<std::string> names;
  for (const TrialResult& trial : trials) {
    for (const auto& [name, value] : trial.config) names.insert(name);
  }
  Settings settings;
  for (const std::string& name : names) {
    const auto first = trials.front().config.find(name);
    const bool is_constant = first != trials.front().config.end() &&
                             std::ranges::all_of(trials, [&](const TrialResult& trial) {
                               const auto own = trial.config.find(name);
                               return own != trial.config.end() && own->second == first->second;
                             });
    if (is_constant) {
      settings.constant.emplace_back(name, first->second);
    } else {
      settings.varying.push_back(name);
    }
  }
  return settings;
}

/// When the first trial that says when it ended was begun, in seconds since 1970.
double start_of(const std::vector<TrialResult>& trials) {
  double start = std::numeric_limits<double>::infinity();
  for (const TrialResult& trial : trials) {
    if (trial.ended_at) start = std::min(start, *trial.ended_at - trial.seconds);
  }
  return start;
}

Value trial_data(const TrialResult& trial, const std::vector<std::string>& varying, double start) {
  Value::Map config;
  for (const std::string& name : varying) {
    if (const auto found = trial.config.find(name); found != trial.config.end())
      config.emplace_back(name, found->second);
  }
  Value value =
      Value::Map{{"number", trial.number}, {"state", to_string(trial.state)}, {"config", config}};
  add_model_data(value, trial.model);
  value.set("candidate", trial.is_candidate);
  value.set("feasible", trial.is_feasible);
  value.set("conversions", or_null(trial.model.conversions));
  value.set("float_layers", or_null(trial.float_layers));
  value.set("memory_bytes", or_null(trial.memory_bytes));
  value.set("ended", trial.ended_at ? rounded(*trial.ended_at - start) : Value());
  value.set("seconds", rounded(trial.seconds));
  value.set("reason", trial.reason);
  return value;
}

/// The trials that were the best when they ended.
Value::List incumbents(const ResultsDocument& document) {
  const TrialOrder order(document.ranking());
  Value::List numbers;
  std::optional<Trial> best;
  for (const TrialResult& trial : document.trials) {
    if (trial.state != TrialState::complete || !trial.model.scores.contains(document.objective))
      continue;
    const Trial standing = standing_of(trial, document.objective);
    if (best && !order(standing, *best)) continue;
    best = standing;
    numbers.emplace_back(trial.number);
  }
  return numbers;
}

Value::List stage_totals(const ResultsDocument& document) {
  struct Total {
    double seconds = 0;
    std::int64_t computed = 0;
    std::int64_t reused = 0;
  };
  std::map<std::string, Total> totals;
  for (const TrialResult& trial : document.trials) {
    for (const auto& [name, stage] : trial.stages) {
      Total& total = totals[name];
      total.seconds += stage.seconds;
      ++(stage.cached ? total.reused : total.computed);
    }
  }
  Value::List rows;
  for (const auto& [name, total] : totals) {
    rows.emplace_back(Value::Map{{"name", name},
                                 {"seconds", rounded(total.seconds)},
                                 {"computed", total.computed},
                                 {"reused", total.reused}});
  }
  return rows;
}

Value::List importance_rows(const ResultsDocument& document) {
  Value::List rows;
  for (const ParameterImportance& parameter : importances_of(document))
    rows.emplace_back(Value::Map{{"name", parameter.name}, {"share", rounded(parameter.share)}});
  return rows;
}

/// Error, formats and reasons by layer, which methods recorded in the best trial.
Value best_tables(const ResultsDocument& document) {
  Value::Map tables;
  for (const TrialResult& trial : document.trials) {
    if (document.best != trial.number) continue;
    for (const auto& [name, rows] : trial.layer_tables) tables.emplace_back(name, rounded(rows));
  }
  return tables;
}

/// A list of mappings as their keys and, for each of them, the values of these keys. Thousands of
/// operators have the same keys.
Value packed(const Value& list) {
  std::vector<std::string> keys;
  for (const Value& row : list.as_list()) {
    for (const auto& [key, value] : row.as_map()) {
      if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
    }
  }
  Value::List rows;
  for (const Value& row : list.as_list()) {
    Value::List values;
    for (const std::string& key : keys) {
      const Value* const value = row.find(key);
      values.push_back(value == nullptr ? Value() : rounded(*value));
    }
    rows.emplace_back(std::move(values));
  }
  return Value::Map{{"keys", Value::List(keys.begin(), keys.end())}, {"rows", std::move(rows)}};
}

Value search_data(const ResultsDocument& document) {
  const Settings settings = document.trials.empty() ? Settings{} : split_settings(document.trials);
  Value value(Value::Map{});
  value.set("model", document.model);
  value.set("running", document.stop_reason == kRunning);
  value.set("stop_message", document.stop_message);
  value.set("objective", document.objective);
  value.set("direction", document.goal == Goal::minimize ? "minimize" : "maximize");
  value.set("goal", to_string(document.search_goal));
  value.set("tolerance", document.tolerance);
  Value of_float(Value::Map{});
  add_model_data(of_float, document.float_model);
  value.set("float", of_float);
  value.set("best", or_null(document.best));
  value.set("base_trial", or_null(document.base_trial));
  value.set("base_note", document.base_note);
  value.set("candidates", Value::List(document.candidates.begin(), document.candidates.end()));
  value.set("incumbents", incumbents(document));
  Value::List steps;
  for (std::string& step : next_steps(document)) steps.emplace_back(std::move(step));
  value.set("next_steps", steps);
  value.set("rebuild_command", document.rebuild_command);
  value.set("parameters", Value::List(settings.varying.begin(), settings.varying.end()));
  value.set("constants", settings.constant);
  Value::List trials;
  const double start = start_of(document.trials);
  for (const TrialResult& trial : document.trials)
    trials.push_back(trial_data(trial, settings.varying, start));
  value.set("trials", trials);
  value.set("trials_in_all", document.trial_count());
  value.set("importances", importance_rows(document));
  value.set("stages", stage_totals(document));
  value.set("cache", Value::Map{{"hits", document.cache_hits},
                                {"misses", document.cache_misses},
                                {"seconds_saved", rounded(document.cache_seconds_saved)}});
  value.set("space", to_value(document.space));
  value.set("seconds", rounded(document.seconds));
  value.set("peak_rss_bytes", document.peak_rss_bytes);
  value.set("processor", document.processor ? Value(to_string(*document.processor)) : Value());
  value.set("placement", rounded(document.placement));
  value.set("layers", document.layers.is_list() ? packed(document.layers) : document.layers);
  value.set("layer_tables", best_tables(document));
  if (document.confirmation) value.set("confirmation", rounded(to_value(*document.confirmation)));
  return value;
}

}  // namespace

Value report_data(std::span<const ResultsDocument> searches, std::optional<int> refresh_seconds) {
  Value::List list;
  for (const ResultsDocument& document : searches) list.push_back(search_data(document));
  return Value::Map{
      {"schema", 1}, {"refresh_seconds", or_null(refresh_seconds)}, {"searches", std::move(list)}};
}

}  // namespace quantsearch
