#pragma once

// The top: a configuration file and a float model become a search; the best models and the evidence
// come out.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/base/value.h"
#include "quantsearch/data.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/model.h"
#include "quantsearch/model/fixed_inputs.h"
#include "quantsearch/pipeline/applicability.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/report.h"
#include "quantsearch/runtime.h"
#include "quantsearch/search/space.h"
#include "quantsearch/search/study.h"
#include "quantsearch/trials/goals.h"

namespace quantsearch {

enum class SearchAlgorithm { grid, random, tpe, cma, gp, nsga, qmc, automatic };

/// advanced_fastft_params: one study over NumIterations and LearningRate of the best calibration.
struct AdvancedFinetuneSearch {
  SearchAlgorithm sampler = SearchAlgorithm::tpe;
  std::optional<Goal> direction;  // absent: the metric's own, which it must agree with
  std::int64_t trials = 10;
};

inline constexpr double kDefaultRaceError = 0.05;

/// Which trials are run, and when the search ends.
struct StrategyConfig {
  SearchAlgorithm algorithm = SearchAlgorithm::grid;
  bool two_stage = false;                               // two_stage_search
  std::optional<AdvancedFinetuneSearch> advanced = {};  // advanced_fastft_search
  /// search_racing: trials that cannot become the best are given up early; at most this share of
  /// those that are as good as the best wrongly so. 0: none is. Absent: kDefaultRaceError for
  /// model-based search, none for grid and random.
  std::optional<double> race_error = {};
  StopConditions stop = {};
  std::optional<double> expected_seconds = {};  // expected_time_per_config
  std::uint64_t seed = 0;
};

/// Where and how many at a time trials run.
struct ExecutionConfig {
  int jobs = 1;  // n_jobs: trials at the same time
  // search_devices: of the workers in turn; a card needs workers.
  std::vector<Device> devices = {Device{}};
  bool isolate = false;  // search_isolate: trials run in worker processes
  // search_trial_memory: most that a worker may take, in bytes; 0: no limit.
  std::int64_t trial_memory = 0;
};

struct StorageConfig {
  // study_storage: postgresql://...; empty: study.db in the output folder.
  std::string url = {};
  std::string study_name = "quantsearch";  // study_name
};

struct OutputConfig {
  std::filesystem::path cache_folder = {};             // search_cache_dir
  std::filesystem::path output_folder = {};            // search_output_dir
  std::filesystem::path log_file = "auto_search.log";  // search_log_path
};

/// What a configuration file says (docs/configuration.md), checked.
struct AutoSearchConfig {
  Settings base;             // quantization_config
  FixedInputs fixed_inputs;  // inputs of the model that are constants
  // Absent: default_space() of the base; option names and values as in a file.
  std::optional<Space> space;
  GoalConfig goals = {};
  StrategyConfig strategy = {};
  ExecutionConfig execution = {};
  StorageConfig storage = {};
  OutputConfig output = {};
};

/// A key of a search in a configuration file, and the option of the command line that says the
/// same.
struct SearchKey {
  enum class Kind { text, number, on };  // what the option takes; `on` takes nothing and means true
  std::string name;                      // "a.b" is the member b of the mapping a
  std::string meaning;
  std::string default_value;  // in words
  std::string flag = {};      // "--time-limit"; empty: there is none
  Kind kind = Kind::text;
};
/// All of them; docs/configuration.md has a row for each.
[[nodiscard]] std::vector<SearchKey> search_keys();

/// A value that the command line gives for a key. It takes the place of the file's; a metric that
/// of the first one of a list.
struct CommandLineValue {
  std::string key;
  Value value;
  std::string flag;  // for messages
};

/// Throws InvalidInput for an unknown key or value (nearest known shown), Unsupported for what is
/// known but not built. Relative paths stay relative to the current folder.
[[nodiscard]] AutoSearchConfig parse_search_config(const Value& file,
                                                   const std::vector<CommandLineValue>& over = {});
/// Only the `quantization_config` part of such a file; other keys are checked and not used.
[[nodiscard]] Settings parse_quantization_config(const Value& file);
/// "grid_search", "random_search", "TPE", "CmaEs", "GPS", "NSGAII", "QMC", "auto"; also "Grid" and
/// "Random", as Quark's advanced search names them. Throws InvalidInput.
[[nodiscard]] SearchAlgorithm parse_algorithm(const std::string& name);

/// Range methods x granularity x weight ranges x equalization at the types of the base; for a base
/// with power-of-two scales power-of-two methods x alignment x equalization.
[[nodiscard]] Space default_space(const Settings& base);

/// The point without the settings that have no effect in it, over `base`; or why the combination
/// cannot be. With `applicability`, methods that have nothing to do in the model are off in it;
/// with `samples`, the number of calibration samples, what needs more of them is rejected.
[[nodiscard]] Normalize normalize_over(Settings base,
                                       std::shared_ptr<Applicability> applicability = nullptr,
                                       std::optional<std::int64_t> samples = std::nullopt);

/// A stage of a search before anything has run. The second of two is that of the first calibration:
/// which is the best is not known yet.
struct PlannedStage {
  std::string name;
  std::int64_t trials = 0;
  bool complete = true;         // false: at least as many
  double expected_seconds = 0;  // of these trials
};

/// What a space costs before anything has run.
struct SpacePlan {
  SpaceSummary summary;
  std::vector<Point> first;           // in the order of the grid, up to the limit asked for
  std::vector<PlannedStage> stages;   // at least one
  std::vector<std::string> warnings;  // what the configuration asks for in vain
  double expected_seconds = 0;        // of all stages
};
[[nodiscard]] SpacePlan plan_space(const AutoSearchConfig& config, const Model& model,
                                   std::int64_t first);

struct SearchInput {
  // Inputs are fixed in it as the configuration says.
  Model model;
  std::string model_name;  // as given by the user, for results
  std::shared_ptr<const DataSource> calibration;
  // Null: the calibration data, or its held-out part.
  std::shared_ptr<const DataSource> evaluation;
  std::optional<Labels> labels;  // of the evaluation data
  // Share of the calibration data that only judges, in [0, 1)
  double holdout = 0;
};

/// What is known of a search before its first trial.
struct SearchStart {
  SpaceSummary space;
  std::string objective;
  Goal goal = Goal::minimize;
  // In all stages together; absent when that is not known.
  std::optional<std::int64_t> most_trials = {};
};

struct SearchEnvironment {
  ThreadPool* pool = nullptr;  // null: one with all cores, as long as the search runs
  ByteBudget budget{0};
  CancellationToken token = {};
  LogSink log = {};
  std::optional<CustomEvaluator> evaluator = {};  // wins over the configuration's command
  std::int64_t keep = 5;                          // candidates written
  bool resume = false;
  bool overwrite = false;  // replace an earlier search in the output folder
  /// Score the models that are written both as their graphs say and as this processor computes,
  /// where these may differ.
  bool compare_with_graph = !multiplies_without_saturation();
  /// The command that starts a worker process for isolated trials. It calls use_device(), and
  /// serve_trials() with the same configuration and input, so many threads and a budget of so many
  /// bytes; standard input and output are the conversation.
  std::function<std::vector<std::string>(int threads, std::int64_t memory, const Device& device)>
      worker_command = {};
  /// In a worker process: called when the search has closed its socket, before a trial that still
  /// runs is cancelled.
  std::function<void()> on_worker_closed = [] {};
  /// Called when the space is known, and after each trial.
  std::function<void(const SearchStart&)> on_space = {};
  std::function<void(std::int64_t number, const Point&)> on_start = {};
  std::function<void(const Trial&)> on_trial = {};
  /// Called after on_space with the best trial of an earlier run, when this search continues one.
  std::function<void(const Trial& best)> on_earlier_best = {};
  /// Called when results.json has been written; when the search is cancelled first from a thread of
  /// its own, with what was found until then.
  std::function<void()> on_results = {};
};

struct SearchResult {
  Study study;
  ResultsDocument document;          // what results.json holds
  std::optional<std::int64_t> best;  // number of the trial in best.onnx
  bool met_tolerance = false;
  std::filesystem::path output_folder;
};

/// Searches, and leaves best.onnx, candidates/, results.json, best_config.yaml in the output
/// folder, whatever ends it. Throws InvalidInput for a model with nothing to quantize, non-finite
/// weights, a space without a valid point, a folder that holds another search; and with the first
/// reason when every trial failed.
[[nodiscard]] SearchResult auto_search(const AutoSearchConfig& config, const SearchInput& input,
                                       const SearchEnvironment& environment);

/// What a worker process of an isolated search does: answers over `socket`, which is open, until
/// the search closes it. Throws what auto_search() throws before its first trial.
void serve_trials(const AutoSearchConfig& config, const SearchInput& input,
                  const SearchEnvironment& environment, int socket);

}  // namespace quantsearch
