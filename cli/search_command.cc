// quantsearch search: the main job.

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "common.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/child_process.h"
#include "quantsearch/base/error.h"
#include "quantsearch/quantize/option_keys.h"
#include "quantsearch/report.h"
#include "search_progress.h"

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
  std::string target;
  std::string output;
  std::optional<std::string> algorithm;
  std::optional<std::string> metric;
  std::optional<double> tolerance;
  std::optional<std::int64_t> iteration_limit;
  std::optional<double> time_limit;
  std::optional<std::int64_t> find_candidates;
  std::string storage;
  std::string study;
  double holdout = 0;
  std::optional<double> confirmation;
  std::int64_t keep = 5;
  bool resume = false;
  bool overwrite = false;
  bool requantize = false;
  bool isolate = false;
  std::string trial_memory;
  std::string worker;  // THREADS:BYTES:DEVICE: this process runs trials for another
  std::vector<std::string> command_line;
};

// Without a configuration file a search ends by itself.
constexpr double kDefaultTimeLimit = 600;

AutoSearchConfig config_of(const SearchArguments& arguments) {
  AutoSearchConfig config = search_config(arguments.config, arguments.target);
  if (arguments.config.empty()) config.stop.time_limit_seconds = kDefaultTimeLimit;
  if (arguments.algorithm)
    config.algorithm = of_option("--algorithm", *arguments.algorithm, parse_algorithm);
  if (arguments.metric) {
    of_option("--metric", *arguments.metric, [&config](const std::string& name) { set_first_objective(config, name); });
  }
  if (arguments.tolerance) config.tolerance = arguments.tolerance;
  if (arguments.iteration_limit) config.stop.iteration_limit = arguments.iteration_limit;
  if (arguments.time_limit) config.stop.time_limit_seconds = arguments.time_limit;
  if (arguments.find_candidates) config.stop.find_n_candidates = arguments.find_candidates;
  if (arguments.common.jobs) config.jobs = *arguments.common.jobs;
  if (arguments.common.seed_given) config.seed = static_cast<std::uint64_t>(arguments.common.seed);
  if (!arguments.storage.empty()) config.storage = of_option("--storage", arguments.storage, parse_storage);
  if (!arguments.study.empty()) config.study_name = arguments.study;
  for (const auto& [name, value] : arguments.fixed) config.fixed_inputs[name] = value;
  if (!arguments.output.empty()) config.output_folder = arguments.output;
  if (arguments.confirmation) config.confirmation = *arguments.confirmation;
  if (arguments.requantize) config.base[std::string(keys::kRequantize)] = true;
  if (arguments.isolate) config.isolate = true;
  if (!arguments.trial_memory.empty()) config.trial_memory = of_option("--trial-memory", arguments.trial_memory, parse_size);
  if (config.trial_memory > 0 && !config.isolate) throw InvalidInput("--trial-memory: is the limit of a worker process, add --isolate");
  return config;
}

SearchInput input_of(const SearchArguments& arguments, const FixedInputs& fixed) {
  SearchInput input;
  input.model = load_model(arguments.model);
  input.model_name = arguments.model;
  const Model model = fix_inputs(input.model, fixed);
  LoadedData judged = open_data(arguments.calibration, model, fixed);
  input.calibration = judged.source;
  input.holdout = arguments.holdout;
  if (!arguments.evaluation.path.empty()) {
    judged = open_data(arguments.evaluation, model, fixed);
    input.evaluation = judged.source;
  }
  input.labels = arguments.labels.empty() ? judged.labels : load_labels(arguments.labels, judged);
  return input;
}

/// Refused input leaves no log behind; what ends a search that has begun is in it.
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

/// This program once more, as a worker.
std::vector<std::string> worker_command(const SearchArguments& arguments, int threads, std::int64_t memory, const Device& device) {
  // The program that runs, whatever has been installed over it meanwhile.
  std::vector<std::string> command = {fmt::format("/proc/{}/exe", ::getpid())};
  command.insert(command.end(), arguments.command_line.begin(), arguments.command_line.end());
  command.push_back(fmt::format("--trial-worker={}:{}:{}", threads, memory, to_string(device)));
  return command;
}

/// Standard input and output are the conversation with the search; what a library prints goes to standard error.
int take_conversation() {
  const int conversation = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(nothing.get(), STDIN_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return conversation;
}

int run_worker(const SearchArguments& arguments) {
  const int conversation = take_conversation();
  AutoSearchConfig config = config_of(arguments);
  config.jobs = 1;
  const std::size_t memory = arguments.worker.find(':') + 1;
  const std::size_t device = arguments.worker.find(':', memory) + 1;
  CommonOptions own;
  own.threads = std::stoi(arguments.worker);
  own.memory = arguments.worker.substr(memory, device - 1 - memory);
  use_device(parse_devices(arguments.worker.substr(device)).front());
  Context context(own, {});
  serve_trials(config, input_of(arguments, config.fixed_inputs), {.pool = &context.pool(), .budget = context.budget(), .token = context.token()}, conversation);
  return kDone;
}

int run_search(const SearchArguments& arguments) {
  if (!arguments.worker.empty()) return run_worker(arguments);
  const AutoSearchConfig config = config_of(arguments);
  const SearchInput input = input_of(arguments, config.fixed_inputs);
  Context context(arguments.common, config.log_file);
  SearchEnvironment environment{.pool = &context.pool(),
                                .budget = context.budget(),
                                .token = context.token(),
                                .log = context.log(),
                                .keep = arguments.keep,
                                .resume = arguments.resume,
                                .overwrite = arguments.overwrite,
                                .worker_command = [&arguments](int threads, std::int64_t memory, const Device& device) {
                                  return worker_command(arguments, threads, memory, device);
                                }};
  const SearchResult result =
      search_with_log(config, input, environment, arguments.common, context);
  if (arguments.common.json) {
    fmt::print("{}\n", to_json(to_value(result.document), 1));
  } else if (!arguments.common.quiet) {
    std::cout << summary_text(result.document);
    fmt::print("written to {}\n", result.output_folder.string());
  }
  if (const auto code = interruption_code()) return *code;
  return result.met_tolerance ? kDone : kNothingMetTolerance;
}

}  // namespace

void add_search_command(CLI::App& app, Run& run, std::vector<std::string> command_line) {
  auto arguments = std::make_shared<SearchArguments>();
  arguments->command_line = std::move(command_line);
  CLI::App* command = app.add_subcommand("search", "Search for the best quantization of a model");
  command->add_option("MODEL", arguments->model, "Float model (.onnx)")->required();
  command->add_option("--calibration", arguments->calibration.path,
                      "Calibration data: .npz, .npy or a folder of test_data_set_*")->required();
  command->add_option("--evaluation", arguments->evaluation.path, "Data that judge the candidates (calibration data)");
  command->add_option("--evaluation-limit", arguments->evaluation.limit, "Use the first N evaluation samples")->check(CLI::PositiveNumber);
  command->add_option("--labels", arguments->labels, "Class of each evaluation sample (.npy, .npz): gives top1, top5");
  command->add_option("--limit", arguments->calibration.limit, "Use the first N calibration samples")->check(CLI::PositiveNumber);
  command->add_option("--holdout", arguments->holdout, "Share of the calibration data that only judges, such as 0.2");
  command->add_option("--confirmation", arguments->confirmation,
                      "Share of the evaluation data that no trial sees and that chooses among the best, such as 0.2");
  add_fix_option(*command, arguments->fixed);
  command->add_option("--config", arguments->config, "Configuration file (YAML or JSON)");
  add_target_option(*command, arguments->target);
  command->add_flag("--requantize", arguments->requantize, "Take a model whose activations are quantized already: quantize what it left float");
  command->add_option("--output", arguments->output, "Folder for the results (quantsearch_output)");
  command->add_option("--algorithm", arguments->algorithm, "grid_search random_search TPE CmaEs GPS NSGAII QMC auto (grid_search)");
  command->add_option("--metric", arguments->metric, "What is optimized: L1 L2 rel_l2 worst_slice cos psnr ssim sqnr kl top1 top5, or custom: the evaluator's score (L2)");
  command->add_option("--tolerance", arguments->tolerance, "How far from the float model a candidate may be")->check(CLI::NonNegativeNumber);
  command->add_option("--iteration-limit", arguments->iteration_limit, "Stop after this many trials")->check(CLI::PositiveNumber);
  command->add_option("--time-limit", arguments->time_limit, "Stop after this many seconds (600 without a configuration)")->check(CLI::PositiveNumber);
  command->add_option("--candidates", arguments->find_candidates, "Stop after this many candidates")->check(CLI::PositiveNumber);
  command->add_option("--storage", arguments->storage, "Study on a PostgreSQL server that several processes share: postgresql://user@host/database");
  command->add_option("--study", arguments->study, "Name of the study (quantsearch)");
  command->add_option("--keep", arguments->keep, "Candidates to write, best first (5)")->check(CLI::NonNegativeNumber);
  command->add_flag("--isolate", arguments->isolate, "Run trials in worker processes: one that crashes is a failed trial, not the end");
  command->add_option("--trial-memory", arguments->trial_memory, "Most memory that an isolated trial may take, such as 2G (no limit)");
  command->add_option("--trial-worker", arguments->worker)->group("");  // for the program itself
  command->add_flag("--resume", arguments->resume, "Continue the search in the output folder");
  command->add_flag("--overwrite", arguments->overwrite, "Replace an earlier search in the output folder");
  add_common_options(*command, arguments->common);
  command->callback([arguments, &run] { run = [arguments] { return run_search(*arguments); }; });
}

}  // namespace quantsearch::cli
