#include "storage/place.h"

#include <fmt/core.h>

#include <limits>

namespace quantsearch {

std::vector<std::string> Place::rows(const std::string& sql) const {
  std::vector<std::string> all;
  connect()->run(sql, {}, [&](const Row& row) {
    std::string line;
    for (const Cell& cell : row) {
      if (&cell != &row.front()) line += '|';
      if (const auto* integer = std::get_if<std::int64_t>(&cell))
        line += fmt::format("{}", *integer);
      if (const auto* number = std::get_if<double>(&cell)) line += fmt::format("{}", *number);
      if (const auto* text = std::get_if<std::string>(&cell)) line += *text;
    }
    all.push_back(line);
  });
  return all;
}

StudyDescription example_description() {
  using Choices = std::vector<Value>;
  return {.name = "search",
          .goals = {Goal::minimize},
          .distributions = {{"choice", Choices{"a", "text with \"quotes\"\nand a line", Value(),
                                               true, 3, 3.0, 2.5, "[1,2]", "\"q\"", "[not json"}},
                            {"joint", Choices{Value::List{1, 0.1}, Value::List{1.0, 0.1}}},
                            {"float", FloatRange{.low = -1, .high = 1}},
                            {"int", IntRange{.low = 1, .high = 9, .log = true}}},
          .fingerprint = Value::Map{{"model", "abc"}, {"data", "def"}}};
}

std::vector<Trial> example_trials() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<Trial> trials;
  const auto add = [&](TrialState state) -> Trial& {
    Trial trial;
    trial.number = static_cast<std::int64_t>(trials.size());
    trial.state = state;
    trial.seconds = 1.0 / 3;
    trials.push_back(trial);
    return trials.back();
  };
  Trial& whole = add(TrialState::complete);
  whole.point = {{"choice", "text with \"quotes\"\nand a line"},
                 {"joint", Value::List{1, 0.1}},
                 {"float", 0.1 + 0.2},
                 {"int", 7}};
  whole.value = 5e-324;
  whole.is_candidate = true;
  whole.constraints = {-1.5, kInfinity};
  whole.details = Value::Map{{"scores", Value::Map{{"L2", 1.7976931348623157e308}, {"zero", -0.0}}},
                             {"size_bytes", std::int64_t{1} << 53},
                             {"seconds", "a name of ours"},
                             {"details:x", Value()},
                             {"far", Value::List{kInfinity, -kInfinity, "NaN"}}};
  // The loop would not keep a temporary alive.
  const StudyDescription description = example_description();
  for (const Value& choice : std::get<std::vector<Value>>(description.distributions.at("choice"))) {
    Trial& trial = add(TrialState::complete);
    trial.point = {{"choice", choice}, {"joint", Value::List{1.0, 0.1}}};
    trial.value = -kInfinity;
  }
  trials.back().value = kInfinity;
  Trial& failed = add(TrialState::failed);
  failed.reason = "it did not \"converge\"";
  failed.details = "not a mapping";
  Trial& interrupted = add(TrialState::interrupted);
  interrupted.reason = "too long";
  interrupted.details = Value::Map{};
  add(TrialState::pruned).value = 0.5;
  add(TrialState::pruned).reason = "hopeless";
  return trials;
}

}  // namespace quantsearch
