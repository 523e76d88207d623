// quantsearch search: runs a search.

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "common.h"
#include "help.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/descriptor.h"
#include "quantsearch/internal/quantize/option_keys.h"
#include "quantsearch/report.h"
#include "search_progress.h"
#include "terminal.h"

namespace quantsearch::cli {

namespace {

struct SearchArguments {
  CommonOptions common;
  std::string model;
  DataOptionsText calibration;
  DataOptionsText evaluation;
  std::string labels;
  FixedInputs fixed;
  std::string config;
  std::vector<CommandLineValue> over;
  double holdout = 0;
  std::int64_t keep = 5;
  bool resume = false;
  bool overwrite = false;
  bool requantize = false;
  // THREADS:BYTES:DEVICE in a worker process, which runs trials for another process.
  std::string worker;
  std::vector<std::string> command_line;
};

/// Adds the values of a search without a configuration file. Where no latency is measured, or it
/// would be that of another machine, speed does not count.
void add_default_search(std::vector<CommandLineValue>& over) {
  const auto given = [&over](const std::string& key) {
    return std::ranges::find(over, key, &CommandLineValue::key) != over.end();
  };
  const bool is_elsewhere = std::ranges::any_of(over, [](const CommandLineValue& value) {
    return value.key == "target" && value.value == Value("npu-cnn");
  });
  for (CommandLineValue& value : default_search(!given("search_latency") && !is_elsewhere)) {
    if (!given(value.key)) over.push_back(std::move(value));
  }
}

AutoSearchConfig config_of(const SearchArguments& arguments) {
  std::vector<CommandLineValue> over = arguments.over;
  if (arguments.common.jobs)
    over.push_back({.key = "n_jobs", .value = *arguments.common.jobs, .flag = "--jobs"});
  if (arguments.common.seed_given)
    over.push_back({.key = "seed", .value = arguments.common.seed, .flag = "--seed"});
  if (arguments.config.empty()) add_default_search(over);
  AutoSearchConfig config = search_config(arguments.config, arguments.fixed, std::move(over));
  if (arguments.requantize) config.base[std::string(keys::kRequantize)] = true;
  return config;
}

/// The command as it can be pasted into a shell.
std::string command_line_text(const std::vector<std::string>& arguments) {
  std::string text = "quantsearch";
  for (const std::string& word : arguments) {
    const bool is_plain = !word.empty() && std::ranges::all_of(word, [](char letter) {
      return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
             std::string_view("-_./:=,+@%").find(letter) != std::string_view::npos;
    });
    std::string quoted = "'";
    for (const char letter : word) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
    text += ' ' + (is_plain ? word : quoted + "'");
  }
  return text;
}

struct OpenedInput {
  SearchInput search;
  std::vector<std::string> remarks;  // on the data
};

OpenedInput input_of(const SearchArguments& arguments, const AutoSearchConfig& config) {
  const DataOptions options{.limit = std::nullopt,
                            .cache_folder = config.output.cache_folder,
                            .preprocess = config.preprocess,
                            .threads = arguments.common.threads};
  OpenedInput opened;
  SearchInput& input = opened.search;
  input.model = load_model(arguments.model);
  input.model_name = arguments.model;
  const FixedInputs& fixed = config.fixed_inputs;
  const Model model = fix_inputs(input.model, fixed);
  LoadedData judged = open_data(arguments.calibration, model, fixed, options);
  opened.remarks = judged.remarks;
  input.calibration = judged.source;
  input.calibration_origin = {.file = arguments.calibration.path, .available = judged.available};
  input.holdout = arguments.holdout;
  if (!arguments.evaluation.path.empty()) {
    judged = open_data(arguments.evaluation, model, fixed, options);
    opened.remarks.insert(opened.remarks.end(), judged.remarks.begin(), judged.remarks.end());
    input.evaluation = judged.source;
    input.evaluation_origin = {.file = arguments.evaluation.path, .available = judged.available};
  }
  input.labels_file = arguments.labels;
  input.command_line = command_line_text(arguments.command_line);
  input.labels = arguments.labels.empty() ? judged.labels : load_labels(arguments.labels, judged);
  return opened;
}

/// Runs the search. When the input is refused, the log file is restored; an error after the search
/// has begun is in the log.
SearchResult search_with_log(const AutoSearchConfig& config, const SearchInput& input,
                             SearchEnvironment environment, const CommonOptions& common,
                             Context& context) {
  bool has_begun = false;
  environment.on_space = [&](const SearchStart&) {
    has_begun = true;
    hold_second_interruption();
  };
  environment.on_results = let_second_interruption_through;
  try {
    return watch_search(config, input, environment, common);
  } catch (const InternalError&) {
    throw;
  } catch (const Error&) {
    if (!has_begun) context.forget_log();
    throw;
  }
}

/// A word of a shell command.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char letter : word) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

/// The command that builds best.onnx again, next to it.
std::string rebuild_command(const SearchArguments& arguments, const AutoSearchConfig& config) {
  const std::filesystem::path folder = config.output.output_folder.empty()
                                           ? std::filesystem::path("quantsearch_output")
                                           : config.output.output_folder;
  std::vector<std::string> words = {"quantsearch", "quantize", arguments.model, "--calibration",
                                    arguments.calibration.path};
  if (arguments.calibration.limit) {
    words.emplace_back("--limit");
    words.push_back(std::to_string(*arguments.calibration.limit));
  }
  words.insert(words.end(), {"--config", (folder / "best_config.yaml").string(), "--output",
                             (folder / "rebuilt.onnx").string()});
  std::string command;
  for (const std::string& word : words) command += (command.empty() ? "" : " ") + shell_word(word);
  return command;
}

/// Returns the command that starts this program as a worker.
std::vector<std::string> worker_command(const SearchArguments& arguments, int threads,
                                        std::int64_t memory, const Device& device) {
  // The running program, even if another version has been installed in the meantime.
  std::vector<std::string> command = {fmt::format("/proc/{}/exe", ::getpid())};
  command.insert(command.end(), arguments.command_line.begin(), arguments.command_line.end());
  command.push_back(fmt::format("--trial-worker={}:{}:{}", threads, memory, to_string(device)));
  return command;
}

/// Takes the socket to the search from standard input. Standard output is redirected to standard
/// error, so that output of libraries does not go to the socket.
int claim_stdio_socket() {
  const int socket = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(nothing.get(), STDIN_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return socket;
}

int run_worker(const SearchArguments& arguments) {
  const int socket = claim_stdio_socket();
  AutoSearchConfig config = config_of(arguments);
  config.execution.jobs = 1;
  const std::size_t memory = arguments.worker.find(':') + 1;
  const std::size_t device = arguments.worker.find(':', memory) + 1;
  CommonOptions own;
  own.threads = std::stoi(arguments.worker);
  own.memory = arguments.worker.substr(memory, device - 1 - memory);
  config.execution.devices = parse_devices(arguments.worker.substr(device));
  Context context(own, {});
  // Ends a process whose runtime does not react to cancellation.
  constexpr unsigned kSecondsToEnd = 10;
  const SearchEnvironment environment{.pool = &context.pool(),
                                      .budget = context.budget(),
                                      .token = context.token(),
                                      .on_worker_closed = [] { ::alarm(kSecondsToEnd); }};
  serve_trials(config, input_of(arguments, config).search, environment, socket);
  return kDone;
}

int run_search(const SearchArguments& arguments) {
  if (!arguments.worker.empty()) return run_worker(arguments);
  const AutoSearchConfig config = config_of(arguments);
  const OpenedInput input = input_of(arguments, config);
  Context context(arguments.common, config.output.log_file);
  warn_about(input.remarks, context.log());
  SearchEnvironment environment{
      .pool = &context.pool(),
      .budget = context.budget(),
      .token = context.token(),
      .log = context.log(),
      .keep = arguments.keep,
      .resume = arguments.resume,
      .overwrite = arguments.overwrite,
      .worker_command =
          [&arguments](int threads, std::int64_t memory, const Device& device) {
            return worker_command(arguments, threads, memory, device);
          },
      .rebuild_command = rebuild_command(arguments, config)};
  const SearchResult result =
      search_with_log(config, input.search, environment, arguments.common, context);
  if (arguments.common.json) {
    fmt::print("{}\n", to_json(to_value(result.document), 1));
  } else if (!arguments.common.quiet) {
    fmt::print("\n{}", summary_text(result.document, columns_at(STDOUT_FILENO)));
    print_wrapped(fmt::format("written to {}", result.output_folder.string()));
    fmt::print("  best.onnx, best_config.yaml, results.json, report.html\n");
  }
  if (const auto code = interruption_code()) return *code;
  return result.met_tolerance && !result.is_cut_short ? kDone : kSearchFellShort;
}

/// The options of the data that judge the candidates.
void add_judging_options(CLI::App& command, SearchArguments& arguments) {
  command.add_option("--evaluation", arguments.evaluation.path, "Data that judge the candidates")
      ->option_text("DATA")
      ->default_str("the calibration data")
      ->group(kInputGroup);
  add_limit_option(command, "--evaluation-limit", arguments.evaluation.limit, "evaluation samples");
  add_labels_option(command, arguments.labels);
  command
      .add_option("--holdout", arguments.holdout,
                  "Share of the calibration data that only judges, such as 0.2")
      ->option_text("SHARE")
      ->default_str("0")
      ->group(kInputGroup);
}

void add_output_options(CLI::App& command, SearchArguments& arguments) {
  const std::string group = command.get_option("--output")->get_group();
  command.add_option("--keep", arguments.keep, "Candidates to write, best first")
      ->check(CLI::NonNegativeNumber)
      ->option_text("N")
      ->default_str("5")
      ->group(group);
  command.add_flag("--resume", arguments.resume, "Continue the search in the output folder")
      ->group(group);
  command
      .add_flag("--overwrite", arguments.overwrite,
                "Replace an earlier search in the output folder")
      ->group(group);
}

}  // namespace

void add_search_command(CLI::App& app, Run& run, std::vector<std::string> command_line) {
  auto arguments = std::make_shared<SearchArguments>();
  arguments->command_line = std::move(command_line);
  CLI::App* command = app.add_subcommand("search", "Search for the best quantization of a model");
  add_model_and_calibration(*command, arguments->model, arguments->calibration);
  add_judging_options(*command, *arguments);
  add_fix_option(*command, arguments->fixed);
  command->add_option("--config", arguments->config, "Configuration file (docs/configuration.md)")
      ->option_text("FILE")
      ->default_str("an escalating search for the fastest model")
      ->group(kQuantizationGroup);
  add_requantize_option(*command, arguments->requantize);
  add_common_options(*command, arguments->common, {.searches = true});
  add_key_options(*command, arguments->over);
  add_output_options(*command, *arguments);
  // Hidden: used by the program itself.
  command->add_option("--trial-worker", arguments->worker)->group(kHidden);
  command->callback([arguments, &run] { run = [arguments] { return run_search(*arguments); }; });
}

}  // namespace quantsearch::cli
