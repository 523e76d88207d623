// Maps values that are written differently but have the same effect to one value.

#include <algorithm>
#include <functional>

#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

namespace {

/// The rule of an option whose values may be written in several ways; `samples` may be unknown.
using Settle = std::function<Value(const Value& value, std::optional<std::int64_t> samples)>;

/// An absent number, or one above the number of samples, means all samples.
Value at_most_all(const Value& value, std::optional<std::int64_t> samples) {
  if (!samples || (value.is_int() && value.as_int() <= *samples)) return value;
  return *samples;
}

/// The order of names and repeated names have no effect.
Value as_set(const Value& names, std::optional<std::int64_t>) {
  Value::List sorted = names.as_list();
  std::ranges::sort(sorted, {}, [](const Value& name) { return name.as_string(); });
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

/// 100 is always tried.
Value as_percentiles(const Value& numbers, std::optional<std::int64_t>) {
  Value::List sorted = numbers.as_list();
  sorted.emplace_back(100.0);
  std::ranges::sort(sorted, {}, [](const Value& number) { return number.as_double(); });
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

/// The options that count calibration samples: each stage that reads samples has one of its own.
const char* const kSampleCounts[] = {
    "extra_options.CalibDataSize", "extra_options.FastFinetune.DataSize",
    "extra_options.AutoMixprecision.DataSize", "extra_options.AutoMixprecision.ProbeSize"};

std::map<std::string, Settle> all_rules() {
  std::map<std::string, Settle> rules = {
      {"extra_options.PercentileCandidates", as_percentiles},
      {"extra_options.FastFinetune.TargetOpType", as_set},
      {"extra_options.AutoMixprecision.TargetOpType", as_set},
      {"extra_options.AutoMixprecision.IncludeLayers", as_set},
      {"extra_options.AutoMixprecision.ExcludeLayers", as_set},
      {"extra_options.CalibPassthroughOpTypes", as_set},
      {"op_types_to_quantize", as_set},
      {"extra_op_types_to_quantize", as_set},
      {"op_types_to_exclude", as_set},
      {"nodes_to_quantize", as_set},
      {"nodes_to_exclude", as_set},
      {"input_nodes", as_set},
      {"output_nodes", as_set},
  };
  for (const char* const name : kSampleCounts) rules.emplace(name, at_most_all);
  return rules;
}

const std::map<std::string, Settle>& rules() {
  static const std::map<std::string, Settle> kMade = all_rules();
  return kMade;
}

}  // namespace

Value settled_value(const std::string& option, const Value& value,
                    std::optional<std::int64_t> samples) {
  const auto rule = rules().find(option);
  return rule == rules().end() ? value : rule->second(value, samples);
}

Settings with_at_most(Settings settings, std::int64_t samples) {
  for (const char* const name : kSampleCounts) {
    const Value asked = effective_value(name, settings);
    const Value settled = at_most_all(asked, samples);
    if (settled != asked) settings[name] = settled;
  }
  return settings;
}

}  // namespace quantsearch
