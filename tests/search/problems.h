#pragma once

// Small search problems, and functions that list what a sampler proposes.

#include <set>
#include <string>
#include <vector>

#include "quantsearch/search/study.h"
#include "search/enumerate.h"
#include "support/messages.h"

namespace quantsearch {

inline std::variant<Point, Rejected> keep_all(const Point& point) { return point; }

inline Expected one_second(const Point& /*point*/) { return {}; }

/// "share" has an effect only with method=percentile; bits=16 is invalid with method=entropy. Seven
/// of the twelve raw points are distinct and valid.
inline Space conditional_space() {
  return Space({{.name = "method", .choices = {"minmax", "percentile", "entropy"}},
                {.name = "share", .choices = {99.9, 99.99}},
                {.name = "bits", .choices = {8, 16}}});
}

inline std::variant<Point, Rejected> conditional(const Point& point) {
  Point kept = point;
  const std::string method = point.at("method").as_string();
  if (method == "entropy" && point.at("bits").as_int() == 16)
    return Rejected{"entropy has no 16 bits"};
  if (method != "percentile") kept.erase("share");
  return kept;
}

/// `digits` parameters of ten choices each: 10^digits points.
inline Space decimal_space(int digits) {
  std::vector<Parameter> parameters;
  for (int digit = 0; digit < digits; ++digit) {
    Parameter& parameter = parameters.emplace_back();
    parameter.name = std::string("d") + std::to_string(digit);
    for (int choice = 0; choice < 10; ++choice) parameter.choices.emplace_back(choice);
  }
  return Space(std::move(parameters));
}

/// One parameter "x" with the choices 0 .. size-1.
inline Space line_space(int size) {
  Parameter parameter{.name = "x", .choices = {}};
  for (int choice = 0; choice < size; ++choice) parameter.choices.emplace_back(choice);
  return Space({parameter});
}

inline Key key(std::int64_t number) {
  return {.high = 0, .low = static_cast<std::uint64_t>(number)};
}

inline Trial complete(std::int64_t number, double value, bool is_candidate = false) {
  Trial trial;
  trial.number = number;
  trial.state = TrialState::complete;
  trial.value = value;
  trial.is_candidate = is_candidate;
  return trial;
}

inline std::vector<std::string> ask_all(Sampler& sampler, std::size_t limit = 100'000) {
  std::vector<std::string> points;
  while (points.size() < limit) {
    const std::optional<Point> point = sampler.ask();
    if (!point) break;
    points.push_back(to_string(*point));
  }
  return points;
}

/// The distinct points of the first `limit` raw points of a space.
struct Walk {
  WalkCounts counts;
  std::vector<Point> points;
};
inline Walk walk(const Space& space, const Normalize& normalize, std::int64_t limit) {
  Walk walk;
  walk.counts = visit_distinct(space, normalize, limit, [&](std::int64_t /*index*/, Point&& point) {
    walk.points.push_back(std::move(point));
  });
  return walk;
}

inline std::set<std::string> as_set(const std::vector<std::string>& points) {
  return {points.begin(), points.end()};
}

}  // namespace quantsearch
