#include "autosearch/placing.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/pipeline/runnable.h"
#include "quantsearch/placement.h"

namespace quantsearch {

namespace {

const std::string kDecision = "placement";
constexpr double kMostSeconds = 50;    // a last model may take some seconds more
constexpr double kShareOfTime = 0.25;  // of a limited search

/// The costs that a file holds, by machine; a mapping, which is empty without a file.
Value read_costs(const std::filesystem::path& file) {
  if (file.empty() || !std::filesystem::exists(file)) return Value(Value::Map{});
  Value costs = parse_json(read_file(file), file.string());
  if (costs.is_map()) return costs;
  throw InvalidInput(fmt::format(
      "search: the placement cache '{}' holds a {}, expected a mapping from machines to times",
      file.string(), costs.kind()));
}

Value latency_value(const Placement& placement) {
  return Value::Map{{"float_nodes", std::ssize(placement.float_nodes)},
                    {"ratio", placement.latency.ratio},
                    {"ratio_low", placement.latency.ratio_low},
                    {"ratio_high", placement.latency.ratio_high},
                    {"conversions", placement.conversions}};
}

Value pattern_value(const PatternCost& row) {
  return Value::Map{{"pattern", row.pattern},
                    {"count", row.units},
                    {"float_ms", row.float_ms},
                    {"integer_ms", row.integer_ms},
                    {"conversions_ms", row.conversions_ms},
                    {"verdict", row.is_integer       ? "integer"
                                : row.can_be_integer ? "float"
                                                     : "no integer kernel"}};
}

Value to_value(const PlacementResult& found, const Settings& base, const std::string& machine) {
  Value::List choices;
  Value::List measured;
  for (const Placement& placement : found.placements) {
    choices.push_back(
        effective_value("nodes_to_exclude", with_excluded_nodes(base, placement.float_nodes)));
    measured.push_back(latency_value(placement));
  }
  Value::List patterns;
  for (const PatternCost& row : found.patterns) patterns.push_back(pattern_value(row));
  return Value::Map{{"machine", machine},
                    {"models", found.measured},
                    {"choices", std::move(choices)},
                    {"measured", std::move(measured)},
                    {"patterns", std::move(patterns)}};
}

PlacementResult measure(const Setup& setup, const KnownCosts& known) {
  const AutoSearchConfig& config = setup.config;
  const SearchEnvironment& environment = setup.environment;
  const auto simplified = setup.pipeline->simplified(resolve(config.base).simplify);
  const std::optional<double> limit = config.strategy.stop.time_limit_seconds;
  const auto build = [&](const std::vector<std::string>& nodes) {
    QuantizationConfig quantization = resolve(with_excluded_nodes(config.base, nodes));
    quantization.finetune.reset();
    quantization.precision.reset();
    return setup.pipeline->build(quantization, environment.token).quantized;
  };
  return find_placement(
      {.float_model = setup.input.model,
       .simplified = *simplified,
       .sample = setup.data.evaluation->read(0, 1),
       .build = build},
      {.threads = config.goals.latency_threads,
       .seconds = limit ? std::min(kMostSeconds, kShareOfTime * *limit) : kMostSeconds,
       .known = known,
       .token = environment.token,
       .log = environment.log});
}

void say_result(const LogSink& log, const PlacementResult& found, double seconds) {
  const Placement& best = found.placements.front();
  say(log, LogLevel::info,
      fmt::format(
          "placement: {} models measured in {:.1f} s; the fastest leaves {} nodes float and "
          "takes {:.3f} times as long as the float model ({:.3f} to {:.3f})",
          found.measured, seconds, best.float_nodes.size(), best.latency.ratio,
          best.latency.ratio_low, best.latency.ratio_high));
}

}  // namespace

bool places_operators(const AutoSearchConfig& config) {
  const auto is_cpu = [](const Device& device) { return device == Device{}; };
  return config.strategy.algorithm == SearchAlgorithm::escalation &&
         config.goals.goal == SearchGoal::fastest &&
         std::ranges::all_of(config.execution.devices, is_cpu);
}

Value place_operators(const Setup& setup, const TrialStore& store) {
  if (Value decided = store.decision(kDecision); !decided.is_null()) return decided;
  const Clock::time_point start = Clock::now();
  const std::filesystem::path& file = setup.config.storage.placement_cache;
  const std::string machine = machine_text(setup.config.goals.latency_threads);
  Value costs = read_costs(file);
  const Value* const known = costs.find(machine);
  PlacementResult found;
  try {
    found = measure(setup, known == nullptr ? KnownCosts{} : known_costs_from(*known));
  } catch (const Cancelled&) {
    return {};  // the search ends with what it has
  } catch (const Error& error) {
    say(setup.environment.log, LogLevel::warning,
        fmt::format("placement: no model could be measured ({}), so operators are placed by rules",
                    error.what()));
    return {};
  }
  if (found.placements.empty()) return {};
  say_result(setup.environment.log, found,
             std::chrono::duration<double>(Clock::now() - start).count());
  if (!file.empty()) {
    costs.set(machine, to_value(found.costs));
    constexpr int kIndent = 1;
    write_file_atomically(file, to_json(costs, kIndent));
  }
  return store.decide(kDecision, to_value(found, setup.config.base, machine));
}

std::vector<Value> placement_choices(const Value& placement) {
  const Value* const choices = placement.find("choices");
  return choices == nullptr ? std::vector<Value>{} : choices->as_list();
}

}  // namespace quantsearch
