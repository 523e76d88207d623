#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/internal/base/child_process.h"

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

std::string text_of(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& argument : command) text += (text.empty() ? "" : " ") + argument;
  return text;
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

std::string last_error_of(const ChildResult& result) {
  return result.last_error.empty() ? ", nothing on stderr"
                                   : fmt::format(", last line of stderr: '{}'", result.last_error);
}

double score_of(const ChildResult& result, const std::string& command) {
  if (result.signal != 0) {
    throw IoError(fmt::format("evaluate: command '{}' was ended by signal {} ({}){}", command,
                              result.signal, ::strsignal(result.signal), last_error_of(result)));
  }
  if (result.exit_code != 0) {
    throw IoError(fmt::format("evaluate: command '{}' ended with exit code {}, expected 0{}",
                              command, result.exit_code, last_error_of(result)));
  }
  const std::optional<double> score = number_of(result.last_output);
  if (!score && result.last_output.empty()) {
    throw IoError(
        fmt::format("evaluate: command '{}' printed nothing, expected a number on its last line{}",
                    command, last_error_of(result)));
  }
  if (!score) {
    throw IoError(fmt::format(
        "evaluate: command '{}' printed '{}' on its last line, expected a finite number", command,
        result.last_output));
  }
  return *score;
}

}  // namespace

double run_command_evaluator(const CommandEvaluator& evaluator, const std::filesystem::path& model,
                             const CancellationToken& token) {
  if (evaluator.command.empty() || evaluator.command[0].empty()) {
    throw InvalidInput(
        "evaluate: the command of the evaluator is empty, expected a program and its arguments");
  }
  if (!(evaluator.timeout_seconds > 0)) {
    throw InvalidInput(
        fmt::format("evaluate: the timeout of the evaluator is {} s, expected more than 0",
                    evaluator.timeout_seconds));
  }
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
  if (!outcome.stopped) return score_of(outcome.result, text_of(command));
  token.throw_if_cancelled();
  throw IoError(fmt::format("evaluate: command '{}' took longer than {} s and was killed{}",
                            text_of(command), evaluator.timeout_seconds,
                            last_error_of(outcome.result)));
}

}  // namespace quantsearch
