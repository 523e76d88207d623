#include "search/lazy_order.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "search/cost_order.h"

namespace quantsearch {

namespace {

// Number of points probed to find a valid one to start from; a space that is invalid at all of them
// keeps its order.
constexpr std::int64_t kProbes = 256;

std::optional<Expected> expected_at(const Point& raw, const Normalize& normalize,
                                    const CostModel& cost) {
  const std::variant<Point, Rejected> outcome = normalize(raw);
  if (std::holds_alternative<Rejected>(outcome)) return std::nullopt;
  return cost(std::get<Point>(outcome));
}

std::size_t first_difference(const std::vector<Key>& a, const std::vector<Key>& b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

struct RankedParameter {
  Parameter parameter;
  std::size_t stage = std::numeric_limits<std::size_t>::max();  // the earliest one that it affects
};

RankedParameter ranked(const Parameter& parameter, Point around, const Expected& there,
                       const Normalize& normalize, const CostModel& cost) {
  struct RankedChoice {
    Value value;
    // Infinite when it is invalid here, so that it comes last.
    double seconds = std::numeric_limits<double>::infinity();
  };
  RankedParameter result{.parameter = {.name = parameter.name, .choices = {}}};
  std::vector<RankedChoice> choices;
  for (const Value& choice : parameter.choices) {
    around[parameter.name] = choice;
    RankedChoice& next = choices.emplace_back();
    next.value = choice;
    const std::optional<Expected> expected = expected_at(around, normalize, cost);
    if (!expected) continue;
    next.seconds = usable_seconds(expected->seconds);
    const bool changes = expected->prefix != there.prefix || expected->seconds != there.seconds;
    if (changes) {
      result.stage = std::min(result.stage, first_difference(expected->prefix, there.prefix));
    }
  }
  std::ranges::stable_sort(choices, {}, &RankedChoice::seconds);
  for (RankedChoice& choice : choices) result.parameter.choices.push_back(std::move(choice.value));
  return result;
}

std::vector<Parameter> ordered(const std::vector<Parameter>& product, const Normalize& normalize,
                               const CostModel& cost) {
  const Space space(product);
  std::optional<Expected> there;
  Point around;
  // Probes are spread over the product, because neighbouring points are usually invalid for the
  // same reason.
  const std::int64_t probes = std::min(kProbes, space.size());
  for (std::int64_t probe = 0; probe < probes && !there; ++probe) {
    around = space.at(space.size() / probes * probe);
    there = expected_at(around, normalize, cost);
  }
  if (!there) return product;
  std::vector<RankedParameter> parameters;
  for (const Parameter& parameter : product) {
    parameters.push_back(ranked(parameter, around, *there, normalize, cost));
  }
  std::ranges::stable_sort(parameters, {}, &RankedParameter::stage);
  std::vector<Parameter> result;
  for (RankedParameter& parameter : parameters) result.push_back(std::move(parameter.parameter));
  return result;
}

}  // namespace

Space ordered_for_walk(const Space& space, const Normalize& normalize, const CostModel& cost) {
  std::vector<Space> products;
  for (const std::vector<Parameter>& product : space.products()) {
    products.emplace_back(ordered(product, normalize, cost));
  }
  return Space::union_of(std::move(products));
}

}  // namespace quantsearch
