// The search's own keys of a configuration file; quantization options are the pipeline room's table.

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "autosearch/goals.h"
#include "autosearch/space_file.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/names.h"

namespace quantsearch {

namespace {

/// -1 and null switch a limit off.
std::optional<double> limit_of(const Value& value) {
  if (value.is_null() || value == Value(-1)) return std::nullopt;
  const double number = value.as_double();
  if (!(number > 0)) throw InvalidInput(fmt::format("got {}, expected a number above 0, or -1 for no limit", number));
  return number;
}

std::optional<std::int64_t> count_of(const Value& value) {
  if (value.is_null() || value == Value(-1)) return std::nullopt;
  const std::int64_t number = value.as_int();
  if (number < 1) throw InvalidInput(fmt::format("got {}, expected an integer of at least 1, or -1 for no limit", number));
  return number;
}

void require_known(const std::string& what, const Value& mapping, const std::vector<std::string>& known) {
  for (const auto& [key, value] : mapping.as_map()) {
    if (std::ranges::find(known, key) == known.end()) throw InvalidInput(unknown_name_message(what, key, known));
  }
}

StopConditions stop_of(const Value& value) {
  StopConditions stop;
  if (value.is_null()) return stop;
  require_known("stop condition", value, {"find_n_candidates", "find_best_candidate", "iteration_limit", "time_limit"});
  if (const Value* found = value.find("find_n_candidates")) stop.find_n_candidates = count_of(*found);
  if (const Value* found = value.find("find_best_candidate")) stop.find_best_candidate = count_of(*found);
  if (const Value* found = value.find("iteration_limit")) stop.iteration_limit = count_of(*found);
  if (const Value* found = value.find("time_limit")) stop.time_limit_seconds = limit_of(*found);
  return stop;
}

Direction direction_of(const Value& value) {
  if (value.as_string() == "maximize") return Direction::maximize;
  if (value.as_string() == "minimize") return Direction::minimize;
  const std::vector<std::string> known = {"maximize", "minimize"};
  throw InvalidInput(unknown_name_message("direction", value.as_string(), known));
}

std::optional<CommandEvaluator> command_of(const Value& value) {
  if (value.is_null()) return std::nullopt;
  require_known("evaluator key", value, {"command", "direction", "timeout"});
  CommandEvaluator evaluator;
  const Value* command = value.find("command");
  if (command == nullptr) throw InvalidInput("got no 'command', expected a list such as [\"python3\", \"evaluate.py\", \"{model}\"]");
  for (const Value& word : command->as_list()) evaluator.command.push_back(word.as_string());
  const auto names_model = [](const std::string& word) { return word.find("{model}") != std::string::npos; };
  if (std::ranges::none_of(evaluator.command, names_model)) {
    throw InvalidInput(fmt::format("got the command {}, expected '{{model}}' in one of its arguments", to_json(*command)));
  }
  if (const Value* direction = value.find("direction")) evaluator.direction = direction_of(*direction);
  if (const Value* timeout = value.find("timeout")) {
    const auto limit = limit_of(*timeout);
    if (!limit) throw InvalidInput("'timeout' must be a number of seconds above 0");
    evaluator.timeout_seconds = *limit;
  }
  return evaluator;
}

/// "size", "latency" and "custom" beside the metrics.
std::string objective_name(const std::string& name) {
  if (name == "size" || name == "size_bytes") return kSizeGoal;
  if (name == "latency" || name == "latency_ms") return kLatencyGoal;
  return name == kCustomGoal ? kCustomGoal : metric_info(parse_metric(name)).name;
}

/// One metric, or a list: the first decides between trials, all make the front.
void read_objectives(AutoSearchConfig& config, const Value& value) {
  const Value::List names = value.is_list() ? value.as_list() : Value::List{value};
  if (names.empty()) throw InvalidInput("got an empty list, expected at least one metric");
  std::vector<std::string> seen;
  for (const Value& written : names) {
    std::string name = objective_name(written.as_string());
    if (std::ranges::find(seen, name) != seen.end()) throw InvalidInput(fmt::format("names '{}' twice", name));
    seen.push_back(std::move(name));
  }
  config.more_objectives.assign(seen.begin() + 1, seen.end());
  set_first_objective(config, names.front().as_string());
}

std::map<std::string, std::optional<double>> limits_of(const Value& value) {
  std::map<std::string, std::optional<double>> limits;
  require_known("limit", value, {"size_bytes", "latency_ms", "drop"});
  for (const auto& [name, most] : value.as_map()) {
    const bool none = most.is_null() || most == Value(-1);
    if (!none && !(most.as_double() >= 0)) throw InvalidInput(fmt::format("'{}': got {}, expected a number of at least 0, or -1 for no limit", name, most.as_double()));
    limits[name] = none ? std::nullopt : std::optional(most.as_double());
  }
  return limits;
}

double tolerance_of(const Value& value) {
  const double tolerance = value.as_double();
  if (!(tolerance >= 0)) throw InvalidInput(fmt::format("got {}, expected a number of at least 0", tolerance));
  return tolerance;
}

std::map<std::string, double> weights_of(const Value& value) {
  std::map<std::string, double> weights;
  for (const auto& [output, weight] : value.as_map()) {
    if (!(weight.as_double() >= 0)) {
      throw InvalidInput(fmt::format("got {} for output '{}', expected a weight of at least 0", weight.as_double(), output));
    }
    weights[output] = weight.as_double();
  }
  return weights;
}

AdvancedFinetuneSearch advanced_of(const Value& value) {
  AdvancedFinetuneSearch advanced;
  if (value.is_null()) return advanced;
  require_known("parameter", value, {"sampler_algo", "direction", "n_trials"});
  if (const Value* sampler = value.find("sampler_algo")) advanced.sampler = parse_algorithm(sampler->as_string());
  if (const Value* direction = value.find("direction")) advanced.direction = direction_of(*direction);
  if (const Value* trials = value.find("n_trials")) {
    const auto count = count_of(*trials);
    if (!count) throw InvalidInput("'n_trials' must be an integer of at least 1");
    advanced.trials = *count;
  }
  return advanced;
}

/// true, false, or the share of good trials that may be lost.
std::optional<double> race_error_of(const Value& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_bool()) return value.as_bool() ? kDefaultRaceError : 0;
  const double rate = value.as_double();
  if (!(rate > 0 && rate < 0.5)) throw InvalidInput(fmt::format("got {}, expected true, false, or an error rate above 0 and below 0.5", rate));
  return rate;
}

constexpr std::int64_t kMostJobs = 1024;

int jobs_of(const Value& value) {
  const std::int64_t jobs = value.as_int();
  if (jobs < 1 || jobs > kMostJobs) throw InvalidInput(fmt::format("got {}, expected from 1 to {} trials at the same time", jobs, kMostJobs));
  return static_cast<int>(jobs);
}

FixedInputs fixed_inputs_of(const Value& value) {
  FixedInputs fixed;
  if (value.is_null()) return fixed;
  for (const auto& [input, constant] : value.as_map()) fixed[input] = constant;
  return fixed;
}

using Reader = std::function<void(AutoSearchConfig&, const Value&)>;

const std::vector<std::pair<std::string, Reader>>& readers() {
  static const std::vector<std::pair<std::string, Reader>> rows = {
      {"quantization_config", [](AutoSearchConfig& config, const Value& value) { config.base = settings_from(value); }},
      {"fixed_inputs", [](AutoSearchConfig& config, const Value& value) { config.fixed_inputs = fixed_inputs_of(value); }},
      {"search_algo",
       [](AutoSearchConfig& config, const Value& value) { config.algorithm = parse_algorithm(value.as_string()); }},
      {"search_metric", read_objectives},
      {"search_limits", [](AutoSearchConfig& config, const Value& value) { config.limits = limits_of(value); }},
      {"search_metric_tolerance",
       [](AutoSearchConfig& config, const Value& value) {
         if (!value.is_null()) config.tolerance = tolerance_of(value);
       }},
      {"search_metric_output_weights",
       [](AutoSearchConfig& config, const Value& value) { config.output_weights = weights_of(value); }},
      {"search_evaluator", [](AutoSearchConfig& config, const Value& value) { config.command = command_of(value); }},
      {"search_stop_condition",
       [](AutoSearchConfig& config, const Value& value) {
         const auto trial_limit = config.stop.trial_time_limit_seconds;
         config.stop = stop_of(value);
         config.stop.trial_time_limit_seconds = trial_limit;
       }},
      {"expected_time_per_config",
       [](AutoSearchConfig& config, const Value& value) { config.expected_seconds = limit_of(value); }},
      {"trial_time_limit",
       [](AutoSearchConfig& config, const Value& value) { config.stop.trial_time_limit_seconds = limit_of(value); }},
      {"search_cache_dir", [](AutoSearchConfig& config, const Value& value) { config.cache_folder = value.as_string(); }},
      {"search_output_dir", [](AutoSearchConfig& config, const Value& value) { config.output_folder = value.as_string(); }},
      {"search_log_path", [](AutoSearchConfig& config, const Value& value) { config.log_file = value.as_string(); }},
      {"two_stage_search", [](AutoSearchConfig& config, const Value& value) { config.two_stage = value.as_bool(); }},
      {"advanced_fastft_search",
       [](AutoSearchConfig& config, const Value& value) {
         if (value.as_bool() && !config.advanced) config.advanced.emplace();
       }},
      {"advanced_fastft_params",
       [](AutoSearchConfig& config, const Value& value) {
         const AdvancedFinetuneSearch given = advanced_of(value);
         if (config.advanced) config.advanced = given;
       }},
      {"search_racing", [](AutoSearchConfig& config, const Value& value) { config.race_error = race_error_of(value); }},
      {"search_confirmation", [](AutoSearchConfig& config, const Value& value) { config.confirmation = value.as_double(); }},
      {"n_jobs",
       [](AutoSearchConfig& config, const Value& value) { config.jobs = jobs_of(value); }},
      {"study_storage", [](AutoSearchConfig& config, const Value& value) { config.storage = parse_storage(value.as_string()); }},
      {"study_name",
       [](AutoSearchConfig& config, const Value& value) {
         if (value.as_string().empty()) throw InvalidInput("got an empty name");
         config.study_name = value.as_string();
       }},
      {"search_isolate", [](AutoSearchConfig& config, const Value& value) { config.isolate = value.as_bool(); }},
      {"search_trial_memory",
       [](AutoSearchConfig& config, const Value& value) {
         config.trial_memory = value.is_string() ? parse_size(value.as_string()) : parse_size(std::to_string(value.as_int()));
       }},
      {"search_devices",
       [](AutoSearchConfig& config, const Value& value) {
         config.devices = parse_devices(value.as_string());
         require_devices(config.devices);
       }},
      {"seed",
       [](AutoSearchConfig& config, const Value& value) { config.seed = static_cast<std::uint64_t>(value.as_int()); }},
  };
  return rows;
}

bool is_space_key(const std::string& key) {
  return key == "search_space" || key == "search_spaces" || key.starts_with("search_space_");
}

/// Without a quantization_config the target chooses the base; a space of one's own starts from the plain defaults.
void set_target(AutoSearchConfig& config, const std::string& target, bool is_plain) {
  const bool for_npu = is_plain && target == "npu-cnn";
  config.base = with_target(for_npu || (is_plain && !config.space) ? std::nullopt : std::optional(config.base), target);
}

}  // namespace

std::string parse_storage(const std::string& url) {
  if (url.empty() || url.starts_with("postgresql://") || url.starts_with("postgresql+")) return url;
  throw InvalidInput(fmt::format("got the study storage '{}', expected postgresql://user@host/database, or none for study.db in the "
                                 "output folder",
                                 url));
}

SearchAlgorithm parse_algorithm(const std::string& name) {
  static const std::vector<std::pair<std::string, SearchAlgorithm>> known = {
      {"grid_search", SearchAlgorithm::grid}, {"random_search", SearchAlgorithm::random}, {"TPE", SearchAlgorithm::tpe},
      {"CmaEs", SearchAlgorithm::cma},        {"GPS", SearchAlgorithm::gp},               {"NSGAII", SearchAlgorithm::nsga},
      {"QMC", SearchAlgorithm::qmc},          {"auto", SearchAlgorithm::automatic},       {"Grid", SearchAlgorithm::grid},
      {"Random", SearchAlgorithm::random}};
  std::vector<std::string> names;
  for (const auto& [known_name, algorithm] : known) {
    if (known_name == name) return algorithm;
    names.push_back(known_name);
  }
  throw InvalidInput(unknown_name_message("search algorithm", name, names));
}

void set_first_objective(AutoSearchConfig& config, const std::string& name) {
  if (name != kCustomGoal) config.metric = parse_metric(name);
  const std::string canonical = name == kCustomGoal ? name : metric_info(config.metric).name;
  std::erase(config.more_objectives, canonical);
  config.named_first = name == kCustomGoal || !config.more_objectives.empty() ? canonical : "";
}

AutoSearchConfig parse_search_config(const Value& file) {
  AutoSearchConfig config;
  std::vector<std::string> known = {"search_space", "search_spaces"};
  for (const auto& [name, reader] : readers()) known.push_back(name);
  known.emplace_back("target");
  if (!file.is_map()) throw InvalidInput(fmt::format("configuration: got a {}, expected a mapping of keys", file.kind()));
  // The switch before its parameters, whatever their order in the file.
  Value ordered(Value::Map{});
  for (const auto& [key, value] : file.as_map()) {
    if (key != "advanced_fastft_params" && key != "target") ordered.set(key, value);
  }
  if (const Value* params = file.find("advanced_fastft_params")) ordered.set("advanced_fastft_params", *params);
  for (const auto& [key, value] : ordered.as_map()) {
    if (is_space_key(key)) continue;
    const auto row = std::ranges::find(readers(), key, [](const auto& entry) { return entry.first; });
    if (row == readers().end()) throw InvalidInput("configuration: " + unknown_name_message("key", key, known));
    if (key == "quantization_config") {  // its messages name the option already
      row->second(config, value);
      continue;
    }
    try {
      row->second(config, value);
    } catch (const InvalidInput& error) {
      throw InvalidInput(fmt::format("configuration: '{}': {}", key, error.what()));
    } catch (const Unsupported& error) {
      throw Unsupported(fmt::format("configuration: '{}': {}", key, error.what()));
    }
  }
  config.space = space_from_file(file);
  // A space of one's own starts from the plain defaults: the default preset's choices would rule out points of it.
  const bool is_plain = file.find("quantization_config") == nullptr;
  if (is_plain && !config.space) config.base = settings_from(Value());
  if (const Value* target = file.find("target")) set_target(config, target->as_string(), is_plain);
  return config;
}

Settings parse_quantization_config(const Value& file) { return parse_search_config(file).base; }

}  // namespace quantsearch
