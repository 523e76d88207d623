#include "trials/messages.h"

#include <fmt/core.h>

#include <cmath>

namespace quantsearch {

namespace {

// JSON has only finite numbers, so that others are sent as strings.
Value value_of(double number) {
  return std::isfinite(number) ? Value(number) : Value(fmt::format("{}", number));
}

double number_of(const Value& value) {
  return value.is_string() ? std::stod(value.as_string()) : value.as_double();
}

Value list_of(const std::vector<double>& numbers) {
  Value::List list;
  for (const double number : numbers) list.push_back(value_of(number));
  return list;
}

std::vector<double> numbers_of(const Value& list) {
  std::vector<double> numbers;
  for (const Value& number : list.as_list()) numbers.push_back(number_of(number));
  return numbers;
}

Value body_of(const TrialSuccess& success) {
  return Value::Map{{"value", value_of(success.value)},
                    {"is_candidate", success.is_candidate},
                    {"details", success.details},
                    {"objectives", list_of(success.objectives)},
                    {"constraints", list_of(success.constraints)}};
}

Value body_of(const TrialPruned& pruned) {
  return Value::Map{{"value", pruned.value ? value_of(*pruned.value) : Value()},
                    {"reason", pruned.reason},
                    {"details", pruned.details}};
}

Value body_of(const TrialFailure& failure) {
  return Value::Map{{"reason", failure.reason}, {"details", failure.details}};
}

}  // namespace

Value message_of(const TrialRequest& request) {
  Value message = Value::Map{{"run", request.number}, {"point", value_of(request.point)}};
  if (request.incumbent) message.set("incumbent", reference_to(*request.incumbent));
  if (request.place) message.set("place", *request.place);
  return message;
}

Value message_of(const TrialOutcome& outcome) {
  constexpr const char* kKinds[] = {"success", "failed", "pruned"};  // in the order of the variant
  Value message;
  message.set(kKinds[outcome.index()],
              std::visit([](const auto& body) { return body_of(body); }, outcome));
  return message;
}

std::optional<TrialOutcome> outcome_of(const Value& message) {
  if (const Value* const body = message.find("success")) {
    return TrialSuccess{.value = number_of(*body->find("value")),
                        .is_candidate = body->find("is_candidate")->as_bool(),
                        .details = *body->find("details"),
                        .objectives = numbers_of(*body->find("objectives")),
                        .constraints = numbers_of(*body->find("constraints"))};
  }
  if (const Value* const body = message.find("pruned")) {
    const Value& value = *body->find("value");
    return TrialPruned{.value = value.is_null() ? std::nullopt : std::optional(number_of(value)),
                       .reason = body->find("reason")->as_string(),
                       .details = *body->find("details")};
  }
  if (const Value* const body = message.find("failed")) {
    return TrialFailure{.reason = body->find("reason")->as_string(),
                        .details = *body->find("details")};
  }
  return std::nullopt;
}

Value reference_to(const Trial& trial) {
  return Value::Map{
      {"number", trial.number}, {"point", value_of(trial.point)}, {"details", trial.details}};
}

Trial trial_of(const Value& reference) {
  Trial trial;
  trial.number = reference.find("number")->as_int();
  trial.state = TrialState::complete;
  trial.point = point_of(*reference.find("point"));
  trial.details = *reference.find("details");
  return trial;
}

Value value_of(const Scores& scores) {
  Value metrics(Value::Map{});
  for (const auto& [name, score] : scores.metrics) metrics.set(name, value_of(score));
  Value value = Value::Map{{"metrics", metrics}, {"size_bytes", scores.size_bytes}};
  if (scores.latency) value.set("latency_ms", scores.latency->median_ms);
  return value;
}

Scores scores_of(const Value& value) {
  Scores scores;
  for (const auto& [name, score] : value.find("metrics")->as_map())
    scores.metrics[name] = number_of(score);
  scores.size_bytes = value.find("size_bytes")->as_int();
  if (const Value* const latency = value.find("latency_ms"))
    scores.latency = Latency{.median_ms = latency->as_double()};
  return scores;
}

Value value_of(const Point& point) {
  Value value(Value::Map{});
  for (const auto& [name, setting] : point) value.set(name, setting);
  return value;
}

Point point_of(const Value& value) {
  Point point;
  for (const auto& [name, setting] : value.as_map()) point.emplace(name, setting);
  return point;
}

}  // namespace quantsearch
