#include "autosearch/search_keys.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <utility>

#include "autosearch/evaluator_key.h"
#include "autosearch/search_values.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

namespace {

/// Replaces the first entry of the file's list by the metric of the command line.
Value with_first_objective(const Value& file, const Value& given) {
  if (!file.is_list() || file.as_list().empty()) return given;
  const std::string first = objective_name(given.as_string());
  Value::List names = {given};
  for (const Value& other : std::span(file.as_list()).subspan(1)) {
    if (objective_name(other.as_string()) != first) names.push_back(other);
  }
  return names;
}

Value with_members(const Value& file, const Value& given) {
  Value merged = file;
  for (const auto& [name, value] : given.as_map()) merged.set(name, value);
  return merged;
}

using Config = AutoSearchConfig;
using Kind = SearchKey::Kind;

std::vector<KeyReader> what_is_searched() {
  return {
      {{"quantization_config",
        "what every trial starts from: a preset's name, options, or preset: NAME with options "
        "beside it",
        "the defaults below; without a search space, preset U8S8_CPU"},
       [](Config& config, const Value& value) { config.base = settings_from(value); }},
      {{"target",
        "processors for which the model must be right: cpu, cpu-vnni or npu-cnn (docs/targets.md)",
        "cpu", "--target", Kind::text, "NAME"},
       nullptr},
      {{"fixed_inputs",
        "{sr: 16000}: inputs of the model that become constants before anything else; --fix "
        "sr=16000 adds one or replaces it",
        "{}"},
       [](Config& config, const Value& value) { config.fixed_inputs = read_fixed_inputs(value); },
       with_members},
      {{"preprocess",
        "how the images or sounds of a folder become samples: imagenet, clip, yolo, paddleocr, "
        "paddleocr_det, speech, or {preset: imagenet, size: 160} with keys of docs/data.md",
        "none", "--preprocess", Kind::text, "HOW"},
       [](Config& config, const Value& value) { config.preprocess = read_preprocess(value); }},
      {{"search_space",
        "a mapping of options to choices, or a list of such mappings whose union is searched",
        "a space that fits the base"},
       nullptr},
      {{"provenance",
        "what a search says in best_config.yaml about its versions, command line and inputs; "
        "`quantize` warns when its model, data or limits are others",
        "none"},
       [](Config& config, const Value& value) {
         if (!value.is_null()) (void)value.as_map();
         config.provenance = value;
       }},
      {{"search_spaces", "names of the search_space_NAME whose union is searched", "none"},
       nullptr},
  };
}

std::vector<KeyReader> goals() {
  return {
      {{"search_metric",
        "what is optimized: L1 L2 rel_l2 worst_slice cos psnr ssim sqnr kl top1 top5, custom (the "
        "evaluator's score) or the name of one of its scores, or a list of these, "
        "size and latency; auto: top1 where there are labels, else L2",
        "L2", "--metric", Kind::text, "NAME"},
       [](Config& config, const Value& value) { read_objectives(config.goals, value); },
       with_first_objective},
      {{"search_goal",
        "the best of the candidates: most_accurate, fastest (beside the float model, on this "
        "machine) or smallest",
        "most_accurate", "--goal", Kind::text, "GOAL"},
       [](Config& config, const Value& value) {
         config.goals.goal = parse_search_goal(value.as_string());
       }},
      {{"search_latency", "time candidates beside the float model", "true", "--no-latency",
        Kind::off},
       [](Config& config, const Value& value) { config.goals.latency = value.as_bool(); }},
      {{"search_latency_threads", "threads of a timed run", "1", "--latency-threads", Kind::number},
       [](Config& config, const Value& value) {
         config.goals.latency_threads = read_latency_threads(value);
       }},
      {{"search_metric_tolerance", "how far from the float model a candidate may be",
        "relative, docs/metrics.md", "--tolerance", Kind::number, "X"},
       [](Config& config, const Value& value) {
         if (!value.is_null()) config.goals.tolerance = read_tolerance(value);
       }},
      {{"search_metric_output_weights", "weight of each output by name", "1 each"},
       [](Config& config, const Value& value) {
         config.goals.output_weights = read_weights(value);
       }},
      {{"search_limits",
        "most of size_bytes, latency_ms and drop (loss against the float model); -1 is off",
        "none"},
       [](Config& config, const Value& value) { config.goals.limits = read_limits(value); }},
      {{"search_evaluator",
        "what scores a model: {task: NAME, ...} or the name of a task (detection, text, "
        "segmentation, classification, retrieval, similarity); {command: [...], direction: "
        "maximize, timeout: 600}, a program with {model} for the file that prints its scores on "
        "its last line; or {server: [...]}, one that stays alive (docs/evaluators.md)",
        "none", "--evaluator", Kind::text, "WHAT"},
       [](Config& config, const Value& value) { read_evaluator(config.goals, value); }},
      {{"search_confirmation",
        "share of the evaluation data that no trial sees and that chooses among the best, such as "
        "0.2",
        "0", "--confirmation", Kind::number, "SHARE"},
       [](Config& config, const Value& value) { config.goals.confirmation = value.as_double(); }},
  };
}

std::vector<KeyReader> stop_conditions() {
  return {
      {{"search_stop_condition.find_n_candidates", "stop after this many candidates; -1 is off",
        "off", "--candidates", Kind::number},
       [](Config& config, const Value& value) {
         config.strategy.stop.find_n_candidates = read_count(value);
       }},
      {{"search_stop_condition.find_best_candidate",
        "stop when so many complete trials brought no better value; -1 is off", "off"},
       [](Config& config, const Value& value) {
         config.strategy.stop.find_best_candidate = read_count(value);
       }},
      {{"search_stop_condition.iteration_limit", "stop after this many trials; -1 is off", "off",
        "--iteration-limit", Kind::number},
       [](Config& config, const Value& value) {
         config.strategy.stop.iteration_limit = read_count(value);
       }},
      {{"search_stop_condition.time_limit", "stop after this many seconds; -1 is off", "off",
        "--time-limit", Kind::number, "SECONDS"},
       [](Config& config, const Value& value) {
         config.strategy.stop.time_limit_seconds = read_limit(value);
       }},
      {{"trial_time_limit",
        "seconds; a longer trial is interrupted and the search goes on; -1 is off", "off"},
       [](Config& config, const Value& value) {
         config.strategy.stop.trial_time_limit_seconds = read_limit(value);
       }},
  };
}

std::vector<KeyReader> strategy() {
  return {
      {{"search_algo",
        "grid_search (cheap first, shared stages adjacent), random_search (without replacement, "
        "cheap ones likelier), TPE, CmaEs, GPS, "
        "NSGAII, QMC, auto, escalation (calibrations, then what the model needs to come within the "
        "tolerance; it has a space of its own)",
        "grid_search", "--algorithm", Kind::text, "NAME"},
       [](Config& config, const Value& value) {
         config.strategy.algorithm = parse_algorithm(value.as_string());
       }},
      {{"expected_time_per_config",
        "seconds that a trial is expected to take, for the order of the trials",
        "a guess from the float model's run"},
       [](Config& config, const Value& value) {
         config.strategy.expected_seconds = read_limit(value);
       }},
      {{"two_stage_search",
        "all calibrations first, then all fine-tuning of the best one; counts do not stop it",
        "false"},
       [](Config& config, const Value& value) { config.strategy.two_stage = value.as_bool(); }},
      {{"advanced_fastft_search",
        "all calibrations first, then n_trials of one study over NumIterations and LearningRate of "
        "the best one",
        "false"},
       [](Config& config, const Value& value) {
         if (value.as_bool()) config.strategy.advanced.emplace();
       }},
      {{"advanced_fastft_params", "{sampler_algo: TPE, direction: minimize, n_trials: 10}",
        "TPE, the metric's direction, 10"},
       [](Config& config, const Value& value) {
         const AdvancedFinetuneSearch given = read_advanced(value);
         if (config.strategy.advanced) config.strategy.advanced = given;
       }},
      {{"search_racing",
        "trials that cannot become the best are given up early: true, false, or the share of good "
        "trials that may be lost",
        "0.05 for model-based search, else false"},
       [](Config& config, const Value& value) {
         config.strategy.race_error = read_race_error(value);
       }},
      {{"seed", "seed of everything random", "0", "--seed", Kind::number},
       [](Config& config, const Value& value) {
         config.strategy.seed = static_cast<std::uint64_t>(value.as_int());
       }},
  };
}

std::vector<KeyReader> execution() {
  return {
      {{"n_jobs", "trials at the same time; they share stages, threads and the memory budget", "1",
        "--jobs", Kind::number},
       [](Config& config, const Value& value) { config.execution.jobs = read_jobs(value); }},
      {{"search_isolate",
        "run trials in worker processes: one that crashes is a failed trial, not the end", "false",
        "--isolate", Kind::on},
       [](Config& config, const Value& value) { config.execution.isolate = value.as_bool(); }},
      {{"search_trial_memory", "most memory that a worker process may take, such as 2G", "no limit",
        "--trial-memory", Kind::text, "SIZE"},
       [](Config& config, const Value& value) {
         config.execution.trial_memory = value.is_string()
                                             ? parse_size(value.as_string())
                                             : parse_size(std::to_string(value.as_int()));
       }},
      {{"search_devices",
        "where models are scored and timed: cpu, cuda:0, openvino:CPU, or several for worker "
        "processes in turn, such as cuda:0,1; `inspect --providers` lists what there is",
        "cpu", "--devices", Kind::text, "LIST"},
       [](Config& config, const Value& value) {
         config.execution.devices = parse_devices(value.as_string());
       }},
  };
}

std::vector<KeyReader> storage_and_output() {
  return {
      {{"study_storage",
        "study on a PostgreSQL server that several processes share: "
        "postgresql://user@host/database",
        "study.db in the output folder", "--storage", Kind::text, "URL"},
       [](Config& config, const Value& value) {
         config.storage.url = parse_storage(value.as_string());
       }},
      {{"study_name", "name of the study", "quantsearch", "--study", Kind::text, "NAME"},
       [](Config& config, const Value& value) {
         if (value.as_string().empty()) throw InvalidInput("got an empty name");
         config.storage.study_name = value.as_string();
       }},
      {{"search_placement_cache",
        "file with the times of operators by machine, which a search for the fastest model reads "
        "and extends, so that the next one measures less",
        "none", "--placement-cache", Kind::text, "FILE"},
       [](Config& config, const Value& value) {
         config.storage.placement_cache = value.as_string();
       }},
      {{"search_sensitivity",
        "rank the layers of the best model by the noise they add: auto (when it takes little of "
        "the time of the search), always or never",
        "auto", "--sensitivity", Kind::text, "WHEN"},
       [](Config& config, const Value& value) {
         config.output.layer_ranking = read_layer_ranking(value);
       }},
      {{"search_output_dir", "folder for the results", "quantsearch_output", "--output", Kind::text,
        "DIR"},
       [](Config& config, const Value& value) { config.output.output_folder = value.as_string(); }},
      {{"search_cache_dir",
        "where kept outputs beyond the memory budget and decoded data go; empty or ours",
        "a temporary folder"},
       [](Config& config, const Value& value) { config.output.cache_folder = value.as_string(); }},
      {{"search_log_path", "log file", "auto_search.log"},
       [](Config& config, const Value& value) { config.output.log_file = value.as_string(); }},
  };
}

/// The value of a search without a configuration, as text; empty when it is the usual default.
std::string default_without_file(const std::string& key) {
  for (const CommandLineValue& given : default_search(true)) {
    if (given.key == key)
      return given.value.is_string() ? given.value.as_string()
                                     : fmt::format("{:g}", given.value.as_double());
  }
  return "";
}

}  // namespace

const std::vector<KeyReader>& key_readers() {
  static const std::vector<KeyReader> kAll = [] {
    std::vector<KeyReader> rows;
    const auto add = [&rows](const char* group, std::vector<KeyReader> part) {
      for (KeyReader& row : part) {
        row.key.group = group;
        row.key.without_file = default_without_file(row.key.name);
        rows.push_back(std::move(row));
      }
    };
    add("Quantization", what_is_searched());
    add("What a good model is", goals());
    add("When it stops", stop_conditions());
    add("How it searches", strategy());
    add("Where it runs", execution());
    add("Study and output", storage_and_output());
    return rows;
  }();
  return kAll;
}

std::vector<CommandLineValue> default_search(bool is_timed) {
  constexpr double kSeconds = 600;
  return {{.key = "search_algo", .value = "escalation", .flag = "--algorithm"},
          {.key = "search_goal", .value = is_timed ? "fastest" : "smallest", .flag = "--goal"},
          {.key = "search_metric", .value = "auto", .flag = "--metric"},
          {.key = "search_stop_condition.time_limit", .value = kSeconds, .flag = "--time-limit"}};
}

std::vector<SearchKey> search_keys() {
  std::vector<SearchKey> keys;
  for (const KeyReader& row : key_readers()) keys.push_back(row.key);
  return keys;
}

}  // namespace quantsearch
