#include "quantsearch/search/trial_details.h"

#include "search/trial_sizes.h"

namespace quantsearch {

namespace {

constexpr const char* kLayerTables[] = {"precision", "reconstruction", "left_float"};

std::optional<double> number(const Value* value) {
  return value != nullptr && value->is_number() ? std::optional(value->as_double()) : std::nullopt;
}

std::optional<std::int64_t> count(const Value* value) {
  const auto found = number(value);
  return found ? std::optional(static_cast<std::int64_t>(*found)) : std::nullopt;
}

std::map<std::string, double> scores_from(const Value& value) {
  std::map<std::string, double> scores;
  for (const auto& [name, score] : value.as_map()) {
    if (score.is_number()) scores[name] = score.as_double();  // a score that was not finite is null
  }
  return scores;
}

std::map<std::string, StageResult> stages_from(const Value& value) {
  std::map<std::string, StageResult> stages;
  for (const auto& [name, stage] : value.as_map()) {
    const Value* const cached = stage.find("cached");
    stages[name] = {.seconds = number(stage.find("seconds")).value_or(0),
                    .cached = cached != nullptr && *cached == Value(true)};
  }
  return stages;
}

}  // namespace

std::optional<std::int64_t> float_layers_of(const Value& details) {
  return count(details.find("float_layers"));
}

std::optional<std::int64_t> size_bytes_of(const Value& details) {
  return count(details.find("size_bytes"));
}

std::optional<std::int64_t> conversions_of(const Value& details) {
  return count(details.find("conversions"));
}

std::optional<LatencyRatio> latency_ratio_of(const Value& details) {
  const Value* const found = details.find("latency_ratio");
  if (found == nullptr || !found->is_map()) return std::nullopt;
  const auto ratio = number(found->find("ratio"));
  if (!ratio) return std::nullopt;
  return LatencyRatio{.ratio = *ratio,
                      .low = number(found->find("low")).value_or(*ratio),
                      .high = number(found->find("high")).value_or(*ratio),
                      .float_ms = number(found->find("float_ms")).value_or(0)};
}

Value to_value(const LatencyRatio& latency) {
  return Value::Map{{"ratio", latency.ratio},
                    {"low", latency.low},
                    {"high", latency.high},
                    {"float_ms", latency.float_ms}};
}

Value to_value(const TrialDetails& details) {
  Value scores(Value::Map{});
  for (const auto& [name, score] : details.scores) scores.set(name, score);
  Value stages(Value::Map{});
  for (const auto& [name, stage] : details.stages)
    stages.set(name, Value::Map{{"seconds", stage.seconds}, {"cached", stage.cached}});
  Value value = Value::Map{{"scores", scores}, {"size_bytes", details.size_bytes}};
  if (details.float_layers) value.set("float_layers", *details.float_layers);
  value.set("stages", stages);
  if (details.latency_ms) value.set("latency_ms", *details.latency_ms);
  if (details.latency_ratio) value.set("latency_ratio", to_value(*details.latency_ratio));
  if (details.conversions) value.set("conversions", *details.conversions);
  if (details.memory_bytes) value.set("memory_bytes", *details.memory_bytes);
  if (details.ended_at) value.set("ended_at", *details.ended_at);
  for (const char* const name : kLayerTables) {
    if (const auto rows = details.layer_tables.find(name); rows != details.layer_tables.end())
      value.set(name, rows->second);
  }
  return value;
}

TrialDetails details_from(const Value& value) {
  TrialDetails details;
  if (const Value* const scores = value.find("scores"); scores != nullptr && scores->is_map())
    details.scores = scores_from(*scores);
  details.size_bytes = size_bytes_of(value).value_or(0);
  details.float_layers = float_layers_of(value);
  details.latency_ms = number(value.find("latency_ms"));
  details.latency_ratio = latency_ratio_of(value);
  details.conversions = conversions_of(value);
  details.memory_bytes = count(value.find("memory_bytes"));
  details.ended_at = number(value.find("ended_at"));
  if (const Value* const stages = value.find("stages"); stages != nullptr && stages->is_map())
    details.stages = stages_from(*stages);
  for (const char* const name : kLayerTables) {
    if (const Value* const rows = value.find(name); rows != nullptr && rows->is_list())
      details.layer_tables[name] = *rows;
  }
  return details;
}

}  // namespace quantsearch
