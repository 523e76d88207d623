// Costs of patterns as values, for files.

#include <fmt/core.h>

#include "quantsearch/base/error.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/placement.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

constexpr double kMicroseconds = 1e6;

double member(const Value& value, std::string_view name) {
  const Value* const found = value.find(name);
  if (found == nullptr || !found->is_number() || found->as_double() < 0) {
    throw InvalidInput(fmt::format(
        "placement: got costs without '{}', expected a number of microseconds >= 0", name));
  }
  return found->as_double() / kMicroseconds;
}

}  // namespace

Value to_value(const KnownCosts& costs) {
  Value patterns(Value::Map{});
  for (const auto& [pattern, cost] : costs.patterns) {
    patterns.set(pattern, Value::Map{{"float_us", kMicroseconds * cost.on_float},
                                     {"integer_us", kMicroseconds * cost.on_integers}});
  }
  return patterns;
}

KnownCosts known_costs_from(const Value& value) {
  if (!value.is_map()) {
    throw InvalidInput(fmt::format(
        "placement: got costs of the kind {}, expected a mapping from patterns to times",
        value.kind()));
  }
  KnownCosts costs;
  for (const auto& [pattern, cost] : value.as_map()) {
    costs.patterns[pattern] = {.on_float = member(cost, "float_us"),
                               .on_integers = member(cost, "integer_us")};
  }
  return costs;
}

std::string machine_text(int threads) {
  return fmt::format("{}, {}, {} thread{}", to_string(this_processor()), runtime_version(), threads,
                     threads == 1 ? "" : "s");
}

}  // namespace quantsearch
