#include "autosearch/search_values.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/trials/goals.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kMostJobs = 1024;

/// The metric of that name in any case; null for a score of an evaluator.
const MetricInfo* metric_named(const std::string& name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  for (const MetricInfo& info : all_metrics())
    if (std::ranges::equal(info.name, name, same)) return &info;
  return nullptr;
}

void set_first_objective(GoalConfig& goals, const std::string& name) {
  if (name == kSizeGoal || name == kLatencyGoal) {
    throw InvalidInput(fmt::format(
        "begins with '{}', expected a metric or a score of the evaluator first; for the smallest "
        "or fastest model give search_goal",
        name));
  }
  const MetricInfo* const metric = metric_named(name);
  if (metric != nullptr) goals.metric = metric->metric;
  goals.named_first = metric == nullptr || !goals.more_objectives.empty() ? name : "";
}

}  // namespace

void require_known(const std::string& what, const Value& mapping,
                   const std::vector<std::string>& known) {
  for (const auto& [key, value] : mapping.as_map()) {
    if (std::ranges::find(known, key) == known.end())
      throw InvalidInput(unknown_name_message(what, key, known));
  }
}

std::optional<double> read_limit(const Value& value) {
  if (value.is_null() || value == Value(-1)) return std::nullopt;
  const double number = value.as_double();
  if (!(number > 0))
    throw InvalidInput(
        fmt::format("got {}, expected a number above 0, or -1 for no limit", number));
  return number;
}

std::optional<std::int64_t> read_count(const Value& value) {
  if (value.is_null() || value == Value(-1)) return std::nullopt;
  const std::int64_t number = value.as_int();
  if (number < 1)
    throw InvalidInput(
        fmt::format("got {}, expected an integer of at least 1, or -1 for no limit", number));
  return number;
}

Goal read_direction(const Value& value) {
  if (value.as_string() == "maximize") return Goal::maximize;
  if (value.as_string() == "minimize") return Goal::minimize;
  const std::vector<std::string> known = {"maximize", "minimize"};
  throw InvalidInput(unknown_name_message("direction", value.as_string(), known));
}

std::string objective_name(const std::string& name) {
  if (name == "size" || name == "size_bytes") return kSizeGoal;
  if (name == "latency" || name == "latency_ms") return kLatencyGoal;
  const MetricInfo* const metric = metric_named(name);
  return metric != nullptr ? metric->name : name;
}

void read_objectives(GoalConfig& goals, const Value& value) {
  goals.metric_by_data = value == Value("auto");
  if (goals.metric_by_data) {
    goals.metric = Metric::l2;
    goals.more_objectives.clear();
    goals.named_first.clear();
    return;
  }
  const Value::List names = value.is_list() ? value.as_list() : Value::List{value};
  if (names.empty()) throw InvalidInput("got an empty list, expected at least one metric");
  std::vector<std::string> seen;
  for (const Value& written : names) {
    std::string name = objective_name(written.as_string());
    if (std::ranges::find(seen, name) != seen.end())
      throw InvalidInput(fmt::format("names '{}' twice", name));
    seen.push_back(std::move(name));
  }
  goals.more_objectives.assign(seen.begin() + 1, seen.end());
  set_first_objective(goals, seen.front());
}

std::map<std::string, std::optional<double>> read_limits(const Value& value) {
  std::map<std::string, std::optional<double>> limits;
  require_known("limit", value, {"size_bytes", "latency_ms", "drop"});
  for (const auto& [name, most] : value.as_map()) {
    const bool none = most.is_null() || most == Value(-1);
    if (!none && !(most.as_double() >= 0))
      throw InvalidInput(
          fmt::format("'{}': got {}, expected a number of at least 0, or -1 for no limit", name,
                      most.as_double()));
    limits[name] = none ? std::nullopt : std::optional(most.as_double());
  }
  return limits;
}

double read_tolerance(const Value& value) {
  const double tolerance = value.as_double();
  if (!(tolerance >= 0))
    throw InvalidInput(fmt::format("got {}, expected a number of at least 0", tolerance));
  return tolerance;
}

std::map<std::string, double> read_weights(const Value& value) {
  std::map<std::string, double> weights;
  for (const auto& [output, weight] : value.as_map()) {
    if (!(weight.as_double() >= 0)) {
      throw InvalidInput(fmt::format("got {} for output '{}', expected a weight of at least 0",
                                     weight.as_double(), output));
    }
    weights[output] = weight.as_double();
  }
  return weights;
}

AdvancedFinetuneSearch read_advanced(const Value& value) {
  AdvancedFinetuneSearch advanced;
  if (value.is_null()) return advanced;
  require_known("parameter", value, {"sampler_algo", "direction", "n_trials"});
  if (const Value* sampler = value.find("sampler_algo"))
    advanced.sampler = parse_algorithm(sampler->as_string());
  if (const Value* direction = value.find("direction"))
    advanced.direction = read_direction(*direction);
  if (const Value* trials = value.find("n_trials")) {
    const auto count = read_count(*trials);
    if (!count) throw InvalidInput("'n_trials' must be an integer of at least 1");
    advanced.trials = *count;
  }
  return advanced;
}

std::optional<double> read_race_error(const Value& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_bool()) return value.as_bool() ? kDefaultRaceError : 0;
  const double rate = value.as_double();
  if (!(rate > 0 && rate < 0.5))
    throw InvalidInput(
        fmt::format("got {}, expected true, false, or an error rate above 0 and below 0.5", rate));
  return rate;
}

int read_jobs(const Value& value) {
  const std::int64_t jobs = value.as_int();
  if (jobs < 1 || jobs > kMostJobs)
    throw InvalidInput(
        fmt::format("got {}, expected from 1 to {} trials at the same time", jobs, kMostJobs));
  return static_cast<int>(jobs);
}

int read_latency_threads(const Value& value) {
  constexpr std::int64_t kMostThreads = 1024;
  const std::int64_t threads = value.as_int();
  if (threads < 1 || threads > kMostThreads)
    throw InvalidInput(fmt::format("got {}, expected from 1 to {} threads", threads, kMostThreads));
  return static_cast<int>(threads);
}

FixedInputs read_fixed_inputs(const Value& value) {
  FixedInputs fixed;
  if (value.is_null()) return fixed;
  for (const auto& [input, constant] : value.as_map()) fixed[input] = constant;
  return fixed;
}

LayerRanking read_layer_ranking(const Value& value) {
  if (value == Value("auto")) return LayerRanking::automatic;
  if (value == Value("always")) return LayerRanking::always;
  if (value == Value("never")) return LayerRanking::never;
  throw InvalidInput(fmt::format("got {}, expected auto, always or never", to_json(value)));
}

std::optional<Preprocess> read_preprocess(const Value& value) {
  if (value.is_null()) return std::nullopt;
  return parse_preprocess(value);
}

std::string parse_storage(const std::string& url) {
  if (url.empty() || url.starts_with("postgresql://") || url.starts_with("postgresql+")) return url;
  throw InvalidInput(
      fmt::format("got the study storage '{}', expected postgresql://user@host/database, or none "
                  "for study.db in the "
                  "output folder",
                  url));
}

SearchAlgorithm parse_algorithm(const std::string& name) {
  static const std::vector<std::pair<std::string, SearchAlgorithm>> kKnown = {
      {"grid_search", SearchAlgorithm::grid},
      {"random_search", SearchAlgorithm::random},
      {"TPE", SearchAlgorithm::tpe},
      {"CmaEs", SearchAlgorithm::cma},
      {"GPS", SearchAlgorithm::gp},
      {"NSGAII", SearchAlgorithm::nsga},
      {"QMC", SearchAlgorithm::qmc},
      {"auto", SearchAlgorithm::automatic},
      {"escalation", SearchAlgorithm::escalation},
      {"Grid", SearchAlgorithm::grid},
      {"Random", SearchAlgorithm::random}};
  std::vector<std::string> names;
  for (const auto& [known_name, algorithm] : kKnown) {
    if (known_name == name) return algorithm;
    names.push_back(known_name);
  }
  throw InvalidInput(unknown_name_message("search algorithm", name, names));
}

}  // namespace quantsearch
