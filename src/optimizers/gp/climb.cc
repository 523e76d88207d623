#include "optimizers/gp/climb.h"

#include <algorithm>

namespace quantsearch::gp {

namespace {

constexpr int kRounds = 20;
/// Ordered grids with more values than this are treated as real numbers in the gradient steps.
constexpr std::int64_t kFewValues = 16;
constexpr double kLeastGain = 1e-6;  // of a logarithm: a smaller gain ends the climb

bool is_relaxed(const Axis& axis) {
  return !axis.is_single() && !axis.is_categorical() &&
         (axis.count() == 0 || axis.count() > kFewValues);
}

std::optional<Coordinates> canonical(const Domain& domain, const Coordinates& point) {
  return domain.canonical ? domain.canonical(point) : point;
}

/// Takes gradient steps in the active relaxed dimensions, then rounds to their grids.
RatedPoint slide(const Surrogate& surrogate, const Landscape& landscape, const RatedPoint& start) {
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; i < landscape.axes.size(); ++i) {
    if (is_relaxed(landscape.axes[i]) && is_active(start.at[i])) axes.push_back(i);
  }
  if (axes.empty()) return start;
  const auto count = static_cast<Eigen::Index>(axes.size());
  Eigen::VectorXd features = landscape.features.encode(start.at);
  const auto slot = [&](Eigen::Index i) {
    return landscape.features.first_slot(axes[static_cast<std::size_t>(i)]);
  };
  Eigen::VectorXd units(count);
  for (Eigen::Index i = 0; i < count; ++i) units[i] = features[slot(i)];
  const auto cost = [&](const Eigen::VectorXd& at) {
    for (Eigen::Index i = 0; i < count; ++i) features[slot(i)] = at[i];
    const Evaluation worth = surrogate.worth_at(features);
    Evaluation result{.value = -worth.value, .gradient = Eigen::VectorXd(count)};
    for (Eigen::Index i = 0; i < count; ++i) result.gradient[i] = -worth.gradient[slot(i)];
    return result;
  };
  Eigen::VectorXd low = Eigen::VectorXd::Zero(count);
  Eigen::VectorXd high = Eigen::VectorXd::Ones(count);
  if (landscape.region) {
    for (Eigen::Index i = 0; i < count; ++i) {
      const std::size_t axis = axes[static_cast<std::size_t>(i)];
      const double centre = landscape.region->centre[axis];
      if (!is_active(centre)) continue;
      low[i] = landscape.region->low(landscape.axes[axis].to_unit(centre));
      high[i] = landscape.region->high(landscape.axes[axis].to_unit(centre));
    }
  }
  const Minimum best =
      minimize(cost, units, low, high,
               {.iterations = 40, .gradient_tolerance = 1e-3, .relative_decrease = 1e-6});
  Coordinates point = start.at;
  for (Eigen::Index i = 0; i < count; ++i) {
    const std::size_t axis = axes[static_cast<std::size_t>(i)];
    point[axis] = landscape.axes[axis].from_unit(best.at[i]);
  }
  const std::optional<Coordinates> there = canonical(landscape.domain, point);
  if (!there) return start;
  const double worth = surrogate.worth(landscape.features.encode(*there))[0];
  return worth > start.worth ? RatedPoint{.at = *there, .worth = worth} : start;
}

/// Returns other values of a stepped axis: all values of a category or a small grid, otherwise
/// those at doubling distances.
std::vector<double> exchanges(const Axis& axis, double coordinate) {
  std::vector<double> values;
  if (axis.is_categorical() || axis.count() <= kFewValues) {
    for (std::int64_t i = 0; i < axis.count(); ++i) {
      const double value = axis.first() + static_cast<double>(i) * axis.step();
      if (value != coordinate) values.push_back(value);
    }
    return values;
  }
  for (std::int64_t distance = 1; distance < axis.count(); distance *= 2) {
    for (const double sign : {-1.0, 1.0}) {
      const double value = coordinate + sign * static_cast<double>(distance) * axis.step();
      if (value >= axis.first() && value <= axis.last()) values.push_back(value);
    }
  }
  return values;
}

/// Returns the best point that differs in one value, or `start` when none is better.
RatedPoint exchange(const Surrogate& surrogate, const Landscape& landscape,
                    const RatedPoint& start) {
  std::vector<Coordinates> neighbours;
  for (std::size_t i = 0; i < landscape.axes.size(); ++i) {
    const Axis& axis = landscape.axes[i];
    if (axis.is_single() || axis.count() == 0 || !is_active(start.at[i])) continue;
    for (const double value : exchanges(axis, start.at[i])) {
      Coordinates point = start.at;
      point[i] = value;
      if (auto there = canonical(landscape.domain, point)) neighbours.push_back(std::move(*there));
    }
  }
  if (neighbours.empty()) return start;
  const Eigen::VectorXd worth = surrogate.worth(landscape.features.encode(neighbours));
  Eigen::Index best = 0;
  const double greatest = worth.maxCoeff(&best);
  if (!(greatest > start.worth)) return start;
  return {.at = neighbours[static_cast<std::size_t>(best)], .worth = greatest};
}

}  // namespace

RatedPoint climb(const Surrogate& surrogate, const Landscape& landscape, RatedPoint start) {
  for (int round = 0; round < kRounds; ++round) {
    RatedPoint next = slide(surrogate, landscape, start);
    for (int i = 0; i < kRounds; ++i) {
      RatedPoint exchanged = exchange(surrogate, landscape, next);
      const bool is_enough = exchanged.worth < next.worth + kLeastGain;
      next = std::move(exchanged);
      if (is_enough) break;
    }
    const bool is_enough = next.worth < start.worth + kLeastGain;
    start = std::move(next);
    if (is_enough) break;
  }
  return start;
}

}  // namespace quantsearch::gp
