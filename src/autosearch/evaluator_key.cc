#include "autosearch/evaluator_key.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "autosearch/search_values.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

constexpr const char* kModelPlace = "{model}";

std::vector<std::string> words(const Value& value) {
  if (value.is_string()) return words_of(value.as_string());
  std::vector<std::string> result;
  for (const Value& word : value.as_list()) result.push_back(word.as_string());
  return result;
}

void read_directions(CommandEvaluator& evaluator, const Value& value) {
  if (!value.is_map()) {
    evaluator.direction = read_direction(value);
    return;
  }
  for (const auto& [score, direction] : value.as_map())
    evaluator.directions[score] = read_direction(direction);
}

CommandEvaluator program_of(const Value& value) {
  CommandEvaluator evaluator;
  const Value* const server = value.find("server");
  const Value* const command = value.find("command");
  evaluator.stays_alive = server != nullptr;
  evaluator.command = words(server != nullptr ? *server : *command);
  const bool names_model = std::ranges::any_of(evaluator.command, [](const std::string& word) {
    return word.find(kModelPlace) != std::string::npos;
  });
  if (server == nullptr && !names_model) {
    throw InvalidInput(fmt::format(
        "got the command {}, expected '{{model}}' in one of its arguments", to_json(*command)));
  }
  if (server != nullptr && (names_model || evaluator.command.empty())) {
    throw InvalidInput(fmt::format(
        "got the server {}, expected a program and its arguments without '{{model}}'; it reads the "
        "path of each model from a line of its input",
        to_json(*server)));
  }
  if (const Value* const direction = value.find("direction"))
    read_directions(evaluator, *direction);
  if (const Value* const timeout = value.find("timeout")) {
    const auto limit = read_limit(*timeout);
    if (!limit) throw InvalidInput("'timeout' must be a number of seconds above 0");
    evaluator.timeout_seconds = *limit;
  }
  return evaluator;
}

void read_mapping(GoalConfig& goals, const Value& value) {
  int kinds = 0;
  for (const char* const kind : {"command", "server", "task"})
    kinds += value.find(kind) != nullptr ? 1 : 0;
  if (kinds == 0) {
    require_known("evaluator key", value, {"command", "server", "task", "direction", "timeout"});
    throw InvalidInput(
        "got no 'command', 'server' or 'task', expected one of them, such as [\"python3\", "
        "\"evaluate.py\", \"{model}\"] for 'command'");
  }
  if (kinds > 1)
    throw InvalidInput("got more than one of 'command', 'server' and 'task', expected one");
  if (value.find("task") != nullptr) {
    goals.task = read_task(value);
    return;
  }
  require_known("evaluator key", value, {"command", "server", "direction", "timeout"});
  goals.command = program_of(value);
}

bool is_task(const std::string& text) {
  return std::ranges::any_of(all_tasks(), [&](const TaskInfo& task) { return task.name == text; });
}

/// The mapping that a text means.
Value mapping_of(const std::string& text) {
  if (is_task(text)) return Value::Map{{"task", text}};
  try {
    Value parsed = parse_yaml(text, "evaluator");
    if (parsed.is_map()) return parsed;
    if (parsed.is_list()) return Value::Map{{"command", parsed}};
  } catch (const InvalidInput&) {
    // A command line may be no YAML.
  }
  if (text.find(kModelPlace) != std::string::npos) return Value::Map{{"command", text}};
  std::vector<std::string> known;
  for (const TaskInfo& task : all_tasks()) known.push_back(task.name);
  throw InvalidInput(unknown_name_message("task", text, known) +
                     "; a program needs '{model}' in its arguments");
}

}  // namespace

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = 0;
  for (const char letter : line) {
    if (quote != 0 ? letter == quote : letter == '"' || letter == '\'') {
      quote = quote != 0 ? char{0} : letter;
      if (!word) word.emplace();
    } else if (quote == 0 && (letter == ' ' || letter == '\t' || letter == '\n')) {
      if (word) words.push_back(*word);
      word.reset();
    } else {
      if (!word) word.emplace();
      *word += letter;
    }
  }
  if (quote != 0)
    throw InvalidInput(fmt::format("the quote {} in '{}' is not closed", quote, line));
  if (word) words.push_back(*word);
  return words;
}

void read_evaluator(GoalConfig& goals, const Value& value) {
  goals.command.reset();
  goals.task.reset();
  if (value.is_null()) return;
  if (value.is_list()) return read_mapping(goals, Value::Map{{"command", value}});
  read_mapping(goals, value.is_string() ? mapping_of(value.as_string()) : value);
}

void require_known_scores(const GoalConfig& goals) {
  if (goals.command) return;  // known when the program has run
  std::vector<std::string> known = {kSizeGoal, kLatencyGoal, kCustomGoal};
  for (const MetricInfo& info : all_metrics()) known.push_back(info.name);
  if (goals.task) {
    const std::vector<std::string>& given = scores_of(*goals.task);
    known.insert(known.end(), given.begin(), given.end());
  }
  std::vector<std::string> names = goals.more_objectives;
  if (!goals.named_first.empty()) names.insert(names.begin(), goals.named_first);
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    if (goals.task) {
      throw InvalidInput(fmt::format("evaluator {}: {}", goals.task->name,
                                     unknown_name_message("score", name, known)));
    }
    throw InvalidInput(unknown_name_message("metric", name, known));
  }
}

}  // namespace quantsearch
