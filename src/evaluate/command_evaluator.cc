#include "quantsearch/evaluate/command_evaluator.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "evaluate/command_text.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"

namespace quantsearch {

namespace {

constexpr std::string_view kPlaceholder = "{model}";

std::string with_model(std::string argument, const std::string& model) {
  for (std::size_t at = argument.find(kPlaceholder); at != std::string::npos;
       at = argument.find(kPlaceholder, at + model.size())) {
    argument.replace(at, kPlaceholder.size(), model);
  }
  return argument;
}

// The number that the whole line consists of, if it is finite.
std::optional<double> number_of(std::string_view line) {
  if (line.starts_with('+')) line.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc{} || end != line.data() + line.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<Value> mapping_of(std::string_view line) {
  if (!line.starts_with('{')) return std::nullopt;
  try {
    return parse_json(line, "scores");
  } catch (const InvalidInput&) {
    return std::nullopt;
  }
}

/// A text under this key, which is the only one.
const std::string* only_text(const Value& mapping, const char* key) {
  const Value* const text = mapping.find(key);
  const bool is_one = text != nullptr && text->is_string() && mapping.as_map().size() == 1;
  return is_one ? &text->as_string() : nullptr;
}

EvaluatorScores scores_of(const ChildResult& result, const std::string& command) {
  if (result.signal != 0 || result.exit_code != 0)
    throw IoError(fmt::format("evaluate: command '{}' {}", command, ending_of(result)));
  if (const auto scores = read_scores(result.last_output)) return *scores;
  if (result.last_output.empty()) {
    throw IoError(
        fmt::format("evaluate: command '{}' printed nothing, expected a number or a JSON mapping "
                    "of scores on its last line{}",
                    command, last_error_of(result)));
  }
  throw IoError(
      fmt::format("evaluate: command '{}' printed '{}' on its last line, expected a finite number "
                  "or a JSON mapping of scores",
                  command, result.last_output));
}

}  // namespace

std::string text_of(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& argument : command) text += (text.empty() ? "" : " ") + argument;
  return text;
}

std::string last_error_of(const ChildResult& result) {
  return result.last_error.empty() ? ", nothing on stderr"
                                   : fmt::format(", last line of stderr: '{}'", result.last_error);
}

std::string ending_of(const ChildResult& result) {
  if (result.signal != 0) {
    return fmt::format("was ended by signal {} ({}){}", result.signal, ::strsignal(result.signal),
                       last_error_of(result));
  }
  return fmt::format("ended with exit code {}, expected 0{}", result.exit_code,
                     last_error_of(result));
}

void require_runnable(const CommandEvaluator& evaluator) {
  if (evaluator.command.empty() || evaluator.command[0].empty()) {
    throw InvalidInput(
        "evaluate: the command of the evaluator is empty, expected a program and its arguments");
  }
  if (!(evaluator.timeout_seconds > 0)) {
    throw InvalidInput(
        fmt::format("evaluate: the timeout of the evaluator is {} s, expected more than 0",
                    evaluator.timeout_seconds));
  }
}

std::optional<EvaluatorScores> read_scores(std::string_view line) {
  if (const auto number = number_of(line)) return *number;
  const std::optional<Value> mapping = mapping_of(line);
  if (!mapping || mapping->as_map().empty()) return std::nullopt;
  if (const std::string* const text = only_text(*mapping, "pruned"))
    throw PrunedByEvaluator("pruned by the evaluator: " + *text);
  if (const std::string* const text = only_text(*mapping, "error"))
    throw IoError("evaluate: the evaluator could not score the model: " + *text);
  std::map<std::string, double> scores;
  for (const auto& [name, score] : mapping->as_map()) {
    if (!score.is_number() || !std::isfinite(score.as_double())) return std::nullopt;
    scores[name] = score.as_double();
  }
  return scores;
}

EvaluatorScores run_command_evaluator(const CommandEvaluator& evaluator,
                                      const std::filesystem::path& model,
                                      const CancellationToken& token) {
  require_runnable(evaluator);
  std::vector<std::string> command;
  for (const std::string& argument : evaluator.command)
    command.push_back(with_model(argument, model.string()));
  token.throw_if_cancelled();

  const Clock::time_point start = Clock::now();
  const auto is_late = [&] {
    return std::chrono::duration<double>(Clock::now() - start).count() >= evaluator.timeout_seconds;
  };
  ChildOutcome outcome;
  try {
    outcome = run_child(command, [&] { return token.is_cancelled() || is_late(); });
  } catch (const IoError& error) {
    throw IoError(fmt::format("evaluate: {}", error.what()));
  }
  if (!outcome.stopped) return scores_of(outcome.result, text_of(command));
  token.throw_if_cancelled();
  throw IoError(fmt::format("evaluate: command '{}' took longer than {} s and was killed{}",
                            text_of(command), evaluator.timeout_seconds,
                            last_error_of(outcome.result)));
}

}  // namespace quantsearch
