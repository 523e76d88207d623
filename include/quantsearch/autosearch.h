#pragma once

// The top-level interface: runs the search that a configuration file describes for a float model,
// and writes the best models and the results.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/autosearch/provenance.h"
#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/base/value.h"
#include "quantsearch/data.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/media.h"
#include "quantsearch/model.h"
#include "quantsearch/model/fixed_inputs.h"
#include "quantsearch/pipeline/applicability.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/report.h"
#include "quantsearch/runtime.h"
#include "quantsearch/search/space.h"
#include "quantsearch/search/study.h"
#include "quantsearch/trials/goals.h"
#include "quantsearch/trials/remote.h"

namespace quantsearch {

enum class SearchAlgorithm {
  grid,
  random,
  tpe,
  cma,
  gp,
  nsga,
  qmc,
  automatic,
  // Spends trials where the model needs them (docs/search.md); it has a space of its own.
  escalation,
};

/// advanced_fastft_params: one study over NumIterations and LearningRate of the best calibration.
struct AdvancedFinetuneSearch {
  SearchAlgorithm sampler = SearchAlgorithm::tpe;
  std::optional<Goal> direction;  // absent: that of the metric; otherwise it must equal it
  std::int64_t trials = 10;
};

inline constexpr double kDefaultRaceError = 0.05;

/// Which trials a search runs, and when it ends.
struct StrategyConfig {
  SearchAlgorithm algorithm = SearchAlgorithm::grid;
  bool two_stage = false;                               // two_stage_search
  std::optional<AdvancedFinetuneSearch> advanced = {};  // advanced_fastft_search
  /// search_racing: trials that cannot become the best are stopped early. This is the largest share
  /// of the trials as good as the best that may be stopped by mistake. 0: no racing. Absent:
  /// kDefaultRaceError for model-based search, no racing for grid and random.
  std::optional<double> race_error = {};
  StopConditions stop = {};
  std::optional<double> expected_seconds = {};  // expected_time_per_config
  std::uint64_t seed = 0;
};

/// Where trials run, and how many at a time.
struct ExecutionConfig {
  int jobs = 1;  // n_jobs: trials at the same time
  // search_devices: where models are scored and timed. One device is used in this process; several
  // are assigned in turn to worker processes. The float model and delivered models run on the
  // first.
  std::vector<Device> devices = {Device{}};
  bool isolate = false;  // search_isolate: trials run in worker processes
  // search_trial_memory: memory limit of a worker in bytes; 0: no limit.
  std::int64_t trial_memory = 0;
};

struct StorageConfig {
  // study_storage: postgresql://...; empty: study.db in the output folder.
  std::string url = {};
  std::string study_name = "quantsearch";  // study_name
  // search_placement_cache: times of operators by machine, read and extended; empty: none.
  std::filesystem::path placement_cache = {};
};

/// When a search measures which layers of its best model hurt (docs/search.md).
enum class LayerRanking {
  automatic,  // when that takes little of the time of the search
  always,     // unless the time limit is over
  never,
};

struct OutputConfig {
  LayerRanking layer_ranking = LayerRanking::automatic;  // search_sensitivity
  std::filesystem::path cache_folder = {};               // search_cache_dir
  std::filesystem::path output_folder = {};              // search_output_dir
  std::filesystem::path log_file = "auto_search.log";    // search_log_path
};

/// The checked contents of a configuration file (docs/configuration.md).
struct AutoSearchConfig {
  Settings base;             // quantization_config
  FixedInputs fixed_inputs;  // inputs of the model that are constants
  // How folders of images and sounds become samples; the caller opens the data with it.
  std::optional<Preprocess> preprocess = {};
  // Absent: default_space() of the base. Option names and values have the form of a file.
  std::optional<Space> space;
  GoalConfig goals = {};
  StrategyConfig strategy = {};
  ExecutionConfig execution = {};
  StorageConfig storage = {};
  OutputConfig output = {};
  Value provenance = {};  // of a configuration that a search wrote; null in others
};

/// A key of a search in a configuration file, and the command-line option with the same meaning.
struct SearchKey {
  // Argument of the option; `on` and `off` take none and mean true and false.
  enum class Kind { text, number, on, off };
  std::string name;  // "a.b" is the member b of the mapping a
  std::string meaning;
  std::string default_value;  // in words
  std::string flag = {};      // such as "--time-limit"; empty: there is none
  Kind kind = Kind::text;
  std::string argument = "N";     // of the option, in its help
  std::string group = {};         // of related keys
  std::string without_file = {};  // default of a search without a configuration, where it differs
};
/// Returns all keys; docs/configuration.md has a row for each.
[[nodiscard]] std::vector<SearchKey> search_keys();

/// A value that the command line gives for a key. It replaces the value of the file; a metric
/// replaces only the first entry of a list, and fixed inputs are added to those of the file.
struct CommandLineValue {
  std::string key;
  Value value;
  std::string flag;  // for messages
};

/// The values of a search without a configuration: it escalates towards the fastest model, or the
/// smallest when the speed on this machine does not count (`is_timed` is false), is judged by top-1
/// where there are labels, and takes at most 10 minutes.
[[nodiscard]] std::vector<CommandLineValue> default_search(bool is_timed);

/// Whether the caller brings an evaluator (SearchEnvironment::evaluator), so that search_metric may
/// name scores that are not known before it has run.
enum class OwnEvaluator { absent, present };

/// Returns the configuration of a file, with the values of the command line in `over`. Throws
/// InvalidInput for an unknown key or value, naming the nearest known one, and Unsupported for a
/// known one that is not implemented. Relative paths stay relative to the current folder.
[[nodiscard]] AutoSearchConfig parse_search_config(const Value& file,
                                                   const std::vector<CommandLineValue>& over = {},
                                                   OwnEvaluator evaluator = OwnEvaluator::absent);
/// Returns the settings of the `quantization_config` of such a file; other keys are checked but not
/// used. Throws as parse_search_config() does.
[[nodiscard]] Settings parse_quantization_config(const Value& file);
/// Accepts "grid_search", "random_search", "TPE", "CmaEs", "GPS", "NSGAII", "QMC" and "auto", and
/// also "Grid" and "Random", which Quark's advanced search uses. Throws InvalidInput for any other
/// name.
[[nodiscard]] SearchAlgorithm parse_algorithm(const std::string& name);

/// Returns the default space: range methods x granularity x weight ranges x equalization with the
/// types of the base. For a base with power-of-two scales it is power-of-two methods x weight
/// ranges x alignment x equalization.
[[nodiscard]] Space default_space(const Settings& base);

/// Returns the function that removes from a point the settings that have no effect in it, over
/// `base`, or rejects an invalid combination. With `applicability`, methods that have no effect on
/// the model are off in the result. `samples`: the number of calibration samples; points that need
/// more are rejected.
[[nodiscard]] Normalize normalize_over(Settings base,
                                       std::shared_ptr<Applicability> applicability = nullptr,
                                       std::optional<std::int64_t> samples = std::nullopt);

/// A stage of a search before anything has run. A second stage is that of the first calibration,
/// because the best one is not yet known.
struct PlannedStage {
  std::string name;
  std::int64_t trials = 0;
  bool complete = true;         // false: the number is a lower bound
  double expected_seconds = 0;  // of these trials
};

/// The expected cost of a space, before anything has run.
struct SpacePlan {
  SpaceSummary summary;
  std::vector<Point> first;           // in the order of the grid, up to the requested number
  std::vector<PlannedStage> stages;   // at least one
  std::vector<std::string> warnings;  // parts of the configuration that have no effect
  double expected_seconds = 0;        // of all stages
};
[[nodiscard]] SpacePlan plan_space(const AutoSearchConfig& config, const Model& model,
                                   std::int64_t first);

/// Names are for results and messages; the bytes of models do not depend on them.
struct SearchInput {
  // The search fixes the inputs of the model that the configuration names.
  Model model;
  std::string model_name;  // as given by the user, for results
  std::shared_ptr<const DataSource> calibration;
  // Null: the calibration data, or its held-out part.
  std::shared_ptr<const DataSource> evaluation;
  std::optional<Labels> labels;  // of the evaluation data
  // Share of the calibration data that is held out for evaluation, in [0, 1).
  double holdout = 0;
  DataOrigin calibration_origin = {};
  DataOrigin evaluation_origin = {};
  std::string labels_file = {};   // empty: none, or an array in the evaluation data
  std::string command_line = {};  // of the program
};

/// The information about a search before its first trial.
struct SearchStart {
  SpaceSummary space;
  std::string objective;
  Ranking goal = Goal::minimize;
  // Total of all stages; absent when it is unknown.
  std::optional<std::int64_t> most_trials = {};
  std::optional<Space> points = {};  // always present in a search
};

struct SearchEnvironment {
  ThreadPool* pool = nullptr;  // null: the search makes one with all cores
  ByteBudget budget{0};
  CancellationToken token = {};
  LogSink log = {};
  // Takes precedence over the command of the configuration.
  std::optional<CustomEvaluator> evaluator = {};
  std::int64_t keep = 5;  // largest number of candidates written
  bool resume = false;
  bool overwrite = false;  // replace an earlier search in the output folder
  /// Whether the written models are scored both as their graphs define and as this processor
  /// computes, where these may differ.
  bool compare_with_graph = !multiplies_without_saturation();
  /// Returns the command that starts a worker process for isolated trials. The process calls
  /// serve_trials() with the same input and configuration, except that `device` is the only one of
  /// its devices, with this number of threads and a budget of this many bytes; its standard input
  /// and output are the socket to the search.
  std::function<std::vector<std::string>(int threads, std::int64_t memory, const Device& device)>
      worker_command = {};
  /// Runs the trials elsewhere, as many at a time as the search has jobs. The float model is
  /// measured here, and models that are delivered are written here.
  std::optional<RemoteTrials> remote = {};
  /// In a worker process: called when the search has closed its socket, before a running trial is
  /// cancelled.
  std::function<void()> on_worker_closed = [] {};
  /// The command with which the user builds best.onnx again, for results and report; empty when
  /// there is none.
  std::string rebuild_command = {};
  /// Called when the space is known, before each trial and after each trial, respectively.
  std::function<void(const SearchStart&)> on_space = {};
  std::function<void(std::int64_t number, const Point&)> on_start = {};
  std::function<void(const Trial&)> on_trial = {};
  /// Called after on_space with the best trial of an earlier run, when this search continues one.
  std::function<void(const Trial& best)> on_earlier_best = {};
  /// Called when results.json has been written. When the search is cancelled, it is first called
  /// from a separate thread, after the results found until then have been written.
  std::function<void()> on_results = {};
};

struct SearchResult {
  Study study;
  ResultsDocument document;          // the contents of results.json
  std::optional<std::int64_t> best;  // number of the trial in best.onnx
  bool met_tolerance = false;
  // The time limit was over when the float model had been measured, so only the first trial ran.
  bool is_cut_short = false;
  std::filesystem::path output_folder;
};

/// Runs a search and leaves best.onnx, candidates/, results.json and best_config.yaml in the output
/// folder, however it ends. Throws InvalidInput for a model with nothing to quantize, non-finite
/// weights, a space without a valid point or a folder that contains another search, and, with the
/// first reason, when every trial failed.
[[nodiscard]] SearchResult auto_search(const AutoSearchConfig& config, const SearchInput& input,
                                       const SearchEnvironment& environment);

/// Runs a worker process of an isolated search: answers requests over the open `socket` until the
/// search closes it. Throws what auto_search() throws before its first trial.
void serve_trials(const AutoSearchConfig& config, const SearchInput& input,
                  const SearchEnvironment& environment, int socket);

/// Returns the memory that a trial works with, without the caches, in bytes.
[[nodiscard]] std::int64_t trial_bytes(const Model& model);

/// Runs trials for a search in another process, whose RemoteTrials carries the messages.
class TrialHost {
 public:
  virtual ~TrialHost() = default;
  /// Identifies model, data, base configuration and runtime. Scores of hosts with other
  /// fingerprints than the greeting's cannot be compared.
  [[nodiscard]] virtual Value fingerprint() const = 0;
  /// The number of requests that it can answer at the same time, which memory may limit.
  [[nodiscard]] virtual int jobs() const = 0;
  /// Answers a request. Thread-safe for up to jobs() requests at the same time.
  [[nodiscard]] virtual Value answer(const Value& request, const CancellationToken& token) = 0;
};
/// Prepares a host with the input and configuration of the search, and n_jobs trials at the same
/// time. `greeting`: of RemoteTrials::begin. The pool of the environment must outlive the host.
/// Throws what auto_search() throws before its first trial.
[[nodiscard]] std::unique_ptr<TrialHost> open_trial_host(const AutoSearchConfig& config,
                                                         const SearchInput& input,
                                                         const SearchEnvironment& environment,
                                                         const Value& greeting);

}  // namespace quantsearch
