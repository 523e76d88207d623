#pragma once

// Programs of the user that score a model file: one that runs once for each model, or a server that
// stays alive and takes the path of a model in each line of its input (docs/evaluators.md).

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/goal.h"
#include "quantsearch/base/log.h"

namespace quantsearch {

/// Thrown by an evaluator when the model cannot become the best: the trial is pruned.
class PrunedByEvaluator : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The scores of one model: a number without a name, or scores by name. Both conversions are
/// implicit, so that a function may return either.
struct EvaluatorScores {
  EvaluatorScores(double score) : number(score) {}
  EvaluatorScores(std::map<std::string, double> scores) : named(std::move(scores)) {}

  std::optional<double> number = {};
  std::map<std::string, double> named = {};

  bool operator==(const EvaluatorScores&) const = default;
};

/// Reads a line that a program printed: a finite number, or a JSON mapping of names to finite
/// numbers. nullopt for any other line. Throws PrunedByEvaluator for {"pruned": "why"}, and IoError
/// with the text for {"error": "text"}.
[[nodiscard]] std::optional<EvaluatorScores> read_scores(std::string_view line);

/// A program of the user that scores a model file.
struct CommandEvaluator {
  // "{model}" is replaced by the path of the file. A server reads the path from a line of its
  // input.
  std::vector<std::string> command = {};
  Goal direction = Goal::maximize;
  std::map<std::string, Goal> directions = {};  // of scores with another direction
  double timeout_seconds = 600;                 // of one model
  bool stays_alive = false;                     // a server
};

/// Runs the program and reads the last line of its stdout. Throws what read_scores() throws, and
/// IoError naming the command, with its exit code, the last line of its stderr, what it printed
/// instead of scores, or the timeout (the process group is killed). Throws Cancelled when `token`
/// is cancelled, InvalidInput for an empty command or a timeout that is not above 0.
[[nodiscard]] EvaluatorScores run_command_evaluator(const CommandEvaluator& evaluator,
                                                    const std::filesystem::path& model,
                                                    const CancellationToken& token);

/// Keeps a server of the user alive between models. There are as many processes as models are
/// scored at the same time; the first call starts the first one.
class EvaluatorServer {
 public:
  /// Lines that a process writes to its stderr go to `log`. Throws InvalidInput for an empty
  /// command or a timeout that is not above 0.
  EvaluatorServer(CommandEvaluator evaluator, LogSink log);
  /// Closes the input of the processes, and kills those that do not end within a second.
  ~EvaluatorServer();
  EvaluatorServer(const EvaluatorServer&) = delete;
  EvaluatorServer& operator=(const EvaluatorServer&) = delete;

  /// Writes the path of the model as one line and reads one line of scores. A process that ends
  /// instead of answering is started once more. Throws what read_scores() throws, and IoError
  /// naming the command, with the end of the second process, a line that holds no scores, or the
  /// timeout; a process with such a line or a timeout is killed. Throws Cancelled when `token` is
  /// cancelled. Thread-safe.
  [[nodiscard]] EvaluatorScores score(const std::filesystem::path& model,
                                      const CancellationToken& token);

  /// Ends the processes that are not scoring a model. The next call of score() starts one.
  void rest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch
