#pragma once

// The parts that all commands share: common options, messages, interruption and exit codes.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"
#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"
#include "quantsearch/model/fixed_inputs.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch::cli {

// Exit codes.
inline constexpr int kDone = 0;
inline constexpr int kInternalError = 1;
inline constexpr int kBadInput = 2;
// Nothing met the tolerance, or the time limit was over before the first trial.
inline constexpr int kSearchFellShort = 3;
inline constexpr int kInterrupted = 130;
inline constexpr int kBrokenPipe = 141;  // as if SIGPIPE, which searches ignore, had ended it
inline constexpr int kTerminated = 143;

struct CommonOptions {
  std::int64_t seed = 0;
  bool seed_given = false;
  std::optional<int> jobs;
  int threads = 0;     // 0: all cores
  std::string memory;  // "" : half of RAM
  std::string log_file;
  bool quiet = false;
  bool verbose = false;
  bool json = false;
};

/// Which of the common options have an effect on a command. It takes the others too, so that a
/// script can give all commands the same ones, but leaves them out of its help.
struct CommonUses {
  bool computes = true;   // --threads, --memory, --log, --verbose, --quiet
  bool searches = false;  // --jobs, --seed
  bool warns = false;     // --quiet, for a command that does not compute
};
/// Adds the common options to a command. `options` must outlive it.
void add_common_options(CLI::App& command, CommonOptions& options, const CommonUses& uses = {});

/// The thread pool, budget, token and log of one run of the program.
class Context {
 public:
  /// `default_log`: the log file without --log; empty: none.
  Context(const CommonOptions& options, const std::filesystem::path& default_log);
  [[nodiscard]] ThreadPool& pool() { return *pool_; }
  [[nodiscard]] const ByteBudget& budget() const { return budget_; }
  [[nodiscard]] const CancellationToken& token() const;
  /// Writes warnings and errors to stderr (everything with --verbose, only errors with --quiet),
  /// and all lines to the log file.
  [[nodiscard]] const LogSink& log() const { return log_; }
  /// Restores the log file to its state before the run, because a run that is refused for its input
  /// should write nothing.
  void forget_log();

 private:
  std::filesystem::path log_file_;
  std::optional<std::uintmax_t> old_log_bytes_;  // absent: there was no file
  std::unique_ptr<ThreadPool> pool_;
  ByteBudget budget_;
  LogSink log_;
};

/// Runs the body of a command and converts exceptions to a message on stderr and an exit code.
/// SIGINT and SIGTERM cancel the context's token while it runs. `as_json`: also prints the failure
/// to stdout, see print_failure().
[[nodiscard]] int run_command(const std::function<int()>& body, bool as_json);
/// Prints {"error": MESSAGE, "kind": KIND, "exit_code": CODE} to stdout, for programs that read the
/// result there.
void print_failure(const std::string& message, const std::string& kind, int code);
/// After this call a second signal ends the process only when let_second_interruption_through() is
/// called. A third one ends it at once.
void hold_second_interruption();
/// Called when the results for an interrupted user are on disk. Lets a second signal end the
/// process, including one that is already held.
void let_second_interruption_through();
/// Returns 130 or 143 when a signal has arrived, otherwise nullopt.
[[nodiscard]] std::optional<int> interruption_code();

/// Returns `parse(text)`, with the name of the option before the messages of its exceptions.
template <typename Parse>
[[nodiscard]] auto of_option(const char* option, const std::string& text, const Parse& parse) {
  try {
    return parse(text);
  } catch (const InvalidInput& error) {
    throw InvalidInput(std::string(option) + ": " + error.what());
  } catch (const Unsupported& error) {
    throw Unsupported(std::string(option) + ": " + error.what());
  }
}

/// Each of these adds one option, whose variable must outlive the command.
void add_target_option(CLI::App& command, std::string& target);
void add_requantize_option(CLI::App& command, bool& requantize);
void add_model_option(CLI::App& command, std::string& model);
void add_labels_option(CLI::App& command, std::string& labels);
void add_limit_option(CLI::App& command, const char* name, std::optional<std::int64_t>& limit,
                      const char* samples);
/// Returns `settings` with their target replaced by that of the command line; when they are absent,
/// the default preset of the target.
[[nodiscard]] Settings for_target(const std::string& target, std::optional<Settings> settings);
/// Adds the options of search_keys() except those that every command has. Given values are appended
/// to `over`.
void add_key_options(CLI::App& command, std::vector<CommandLineValue>& over);
/// Returns the search that `file` describes (empty: the default one), with the values of the
/// command line.
[[nodiscard]] AutoSearchConfig search_config(const std::string& file, const FixedInputs& fixed,
                                             std::vector<CommandLineValue> over);

/// The path of a command's data and the number of samples, as the user gave them.
struct DataOptionsText {
  std::string path;
  std::optional<std::int64_t> limit;
};
/// Adds MODEL, --calibration and --limit, whose variables must outlive the command.
void add_model_and_calibration(CLI::App& command, std::string& model, DataOptionsText& calibration);
/// `fixed`: inputs that are constants in `model` and therefore no inputs of it. The data may
/// contain them. The limit of `options` is that of `text`.
[[nodiscard]] LoadedData open_data(const DataOptionsText& text, const Model& model,
                                   const FixedInputs& fixed, DataOptions options);
/// Writes the remarks on data as warnings.
void warn_about(const std::vector<std::string>& remarks, const LogSink& log);
/// Adds --preprocess. `text` must outlive the command.
void add_preprocess_option(CLI::App& command, std::string& text);
/// That of --preprocess, else `otherwise`.
[[nodiscard]] std::optional<Preprocess> preprocess_of(const std::string& text,
                                                      std::optional<Preprocess> otherwise);

/// Adds --fix NAME=VALUE, which may be repeated. `fixed` must outlive the command.
void add_fix_option(CLI::App& command, FixedInputs& fixed);

// There is one function for each command. It declares the options of the command and sets `run` to
// its body.
using Run = std::function<int()>;
/// `command_line`: the arguments of the program, with which workers for isolated trials are
/// started.
void add_search_command(CLI::App& app, Run& run, std::vector<std::string> command_line);
void add_quantize_command(CLI::App& app, Run& run);
void add_evaluate_command(CLI::App& app, Run& run);
void add_inspect_command(CLI::App& app, Run& run);
void add_sensitivity_command(CLI::App& app, Run& run);
void add_space_command(CLI::App& app, Run& run);
void add_report_command(CLI::App& app, Run& run);
void add_presets_command(CLI::App& app, Run& run);

}  // namespace quantsearch::cli
