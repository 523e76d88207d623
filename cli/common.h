#pragma once

// What every command shares: the common options, where messages go, interruption, exit codes.

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

enum ExitCode {
  kDone = 0,
  kInternalError = 1,
  kBadInput = 2,
  kNothingMetTolerance = 3,
  kInterrupted = 130,
  kTerminated = 143
};

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

/// Adds them to a command; `options` outlives it.
void add_common_options(CLI::App& command, CommonOptions& options);

/// Pool, budget, token and messages of one run of the program.
class Context {
 public:
  /// `default_log`: where the log goes without --log; empty: nowhere.
  Context(const CommonOptions& options, const std::filesystem::path& default_log);
  [[nodiscard]] ThreadPool& pool() { return *pool_; }
  [[nodiscard]] const ByteBudget& budget() const { return budget_; }
  [[nodiscard]] const CancellationToken& token() const;
  /// Warnings and errors to stderr (with --verbose everything, with --quiet only errors), all of it
  /// to the log file.
  [[nodiscard]] const LogSink& log() const { return log_; }
  /// Leaves the log file as it was before the run: a run that is refused for its input writes
  /// nothing.
  void forget_log();

 private:
  std::filesystem::path log_file_;
  std::optional<std::uintmax_t> old_log_bytes_;  // absent: there was no file
  std::unique_ptr<ThreadPool> pool_;
  ByteBudget budget_;
  LogSink log_;
};

/// Runs a command's body and turns what it throws into a message on stderr and an exit code. SIGINT
/// and SIGTERM cancel the context's token while it runs. `as_json`: the failure is on stdout too,
/// see print_failure.
[[nodiscard]] int run_command(const std::function<int()>& body, bool as_json);
/// {"error": MESSAGE, "kind": KIND, "exit_code": CODE} on stdout, for programs that read the result
/// there.
void print_failure(const std::string& message, const std::string& kind, int code);
/// From now on a second signal ends the process only when let_second_interruption_through() is
/// called, or has been; a third one does at once.
void hold_second_interruption();
/// What an interrupted user is to find is on disk.
void let_second_interruption_through();
/// 130 or 143 when a signal has come, else nullopt.
[[nodiscard]] std::optional<int> interruption_code();

/// `parse(text)` with the option's name before its messages.
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

/// Adds --target.
void add_target_option(CLI::App& command, std::string& target);
/// `settings` with the target of the command line in place of their own; absent: the target's
/// default preset.
[[nodiscard]] Settings for_target(const std::string& target, std::optional<Settings> settings);
/// Adds the options of search_keys(), but for those that every command has; what is given is
/// appended to `over`.
void add_key_options(CLI::App& command, std::vector<CommandLineValue>& over);
/// The search that `file` describes (empty: the default one), with what the command line gives laid
/// over it.
[[nodiscard]] AutoSearchConfig search_config(const std::string& file, const FixedInputs& fixed,
                                             std::vector<CommandLineValue> over);

/// Where a command's data are, as the user writes it.
struct DataOptionsText {
  std::string path;
  std::optional<std::int64_t> limit;
};
/// `fixed`: inputs that `model` lacks because they are constants in it; the data may hold them.
[[nodiscard]] LoadedData open_data(const DataOptionsText& text, const Model& model,
                                   const FixedInputs& fixed = {});

/// Adds --fix NAME=VALUE, which may be repeated; `fixed` outlives the command.
void add_fix_option(CLI::App& command, FixedInputs& fixed);

// One function per command: declares its options and sets `run` to its body.
using Run = std::function<int()>;
/// `command_line`: the program's arguments, with which it is started again for isolated trials.
void add_search_command(CLI::App& app, Run& run, std::vector<std::string> command_line);
void add_quantize_command(CLI::App& app, Run& run);
void add_evaluate_command(CLI::App& app, Run& run);
void add_inspect_command(CLI::App& app, Run& run);
void add_space_command(CLI::App& app, Run& run);
void add_report_command(CLI::App& app, Run& run);
void add_presets_command(CLI::App& app, Run& run);

}  // namespace quantsearch::cli
