#include "optimizers/gp/maximize.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "optimizers/gp/climb.h"

namespace quantsearch::gp {

namespace {

constexpr int kGlobalSamples = 384;
constexpr int kLocalSamples = 384;
constexpr std::size_t kCentres = 4;  // number of incumbents that samples are drawn near
constexpr std::size_t kStarts = 5;   // number of climbs

/// Returns a point near `centre` with a few dimensions changed, numeric ones by steps of a random
/// magnitude.
Coordinates perturbed(const Landscape& landscape, const Coordinates& centre, RandomStream& random) {
  Coordinates point = centre;
  const double widest = 0.3 * (landscape.region ? std::min(1.0, landscape.region->width) : 1.0);
  const double magnitude = std::pow(10.0, -3 * random.uniform()) * widest;
  const auto count = static_cast<double>(landscape.axes.size());
  const double share = std::min(1.0, std::max(2 / count, random.uniform()));
  for (std::size_t i = 0; i < point.size(); ++i) {
    const Axis& axis = landscape.axes[i];
    if (random.uniform() >= share) continue;
    if (axis.is_categorical() || !is_active(point[i])) {
      // An inactive dimension that becomes active has no value to step from.
      point[i] = axis.from_unit(random.uniform());
      continue;
    }
    const double unit = axis.to_unit(point[i]) + magnitude * random.normal();
    point[i] = axis.from_unit(std::clamp(unit, 0.0, 1.0));
  }
  return point;
}

/// Returns a point of the trust region. In domains of many dimensions only some of them differ from
/// the centre.
Coordinates within(const TrustRegion& region, const std::vector<Axis>& axes, RandomStream& random) {
  constexpr double kChanged = 20;  // approximate number of dimensions changed (as in TuRBO)
  Coordinates point = region.centre;
  const double share = std::min(1.0, kChanged / static_cast<double>(axes.size()));
  for (std::size_t i = 0; i < point.size(); ++i) {
    if (random.uniform() >= share) continue;
    const double draw = random.uniform();
    if (axes[i].is_categorical()) {
      // About two categories are changed; if all were, the point would no longer be near the
      // centre.
      if (random.uniform() * static_cast<double>(axes.size()) < 2)
        point[i] = axes[i].from_unit(draw);
      continue;
    }
    if (!is_active(point[i])) {
      point[i] = axes[i].from_unit(draw);
      continue;
    }
    const double unit = axes[i].to_unit(point[i]);
    point[i] = axes[i].from_unit(region.low(unit) + draw * (region.high(unit) - region.low(unit)));
  }
  return point;
}

std::vector<Coordinates> samples(const Landscape& landscape, RandomStream& random) {
  std::vector<Coordinates> points;
  const auto add = [&](const Coordinates& point) {
    if (auto fresh = landscape.visited.fresh(point, landscape.pending)) {
      points.push_back(std::move(*fresh));
    }
  };
  for (int i = 0; i < kGlobalSamples; ++i) {
    add(landscape.region ? within(*landscape.region, landscape.axes, random)
                         : random_coordinates(landscape.axes, random));
  }
  const std::size_t centres =
      std::min(landscape.region ? std::size_t{1} : kCentres, landscape.incumbents.size());
  if (centres == 0) return points;
  for (std::size_t i = 0; i < kLocalSamples; ++i) {
    add(perturbed(landscape, landscape.incumbents[i % centres], random));
  }
  return points;
}

/// Returns indices by descending value.
std::vector<Eigen::Index> descending(const Eigen::VectorXd& values) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::ranges::stable_sort(order,
                           [&](Eigen::Index a, Eigen::Index b) { return values[a] > values[b]; });
  return order;
}

/// Evaluates the listed points by descending upper bound until no other can be better.
std::optional<Coordinates> maximize_listed(const Surrogate& surrogate, const Landscape& landscape) {
  const auto& points = *landscape.domain.points;
  const Eigen::VectorXd bounds = surrogate.bounds(landscape.features.encode(points));
  std::optional<Coordinates> best;
  double greatest = -std::numeric_limits<double>::infinity();
  std::vector<Coordinates> block;
  const auto rate_block = [&] {
    const Eigen::VectorXd worth = surrogate.worth(landscape.features.encode(block));
    for (Eigen::Index i = 0; i < worth.size(); ++i) {
      if (best && !(worth[i] > greatest)) continue;
      best = block[static_cast<std::size_t>(i)];
      greatest = worth[i];
    }
    block.clear();
  };
  constexpr std::size_t kBlock = 128;
  for (const Eigen::Index i : descending(bounds)) {
    if (block.empty() && best && bounds[i] <= greatest) break;
    if (auto fresh =
            landscape.visited.fresh(points[static_cast<std::size_t>(i)], landscape.pending)) {
      block.push_back(std::move(*fresh));
    }
    if (block.size() == kBlock) rate_block();
  }
  if (!block.empty()) rate_block();
  return best;
}

/// Returns the best samples as starts of climbs.
std::vector<RatedPoint> starts_among(const std::vector<RatedPoint>& rated) {
  return {rated.begin(),
          rated.begin() + static_cast<std::ptrdiff_t>(std::min(kStarts, rated.size()))};
}

}  // namespace

std::optional<Coordinates> maximize(const Surrogate& surrogate, const Landscape& landscape,
                                    RandomStream& random) {
  if (landscape.domain.points != nullptr) return maximize_listed(surrogate, landscape);
  const std::vector<Coordinates> points = samples(landscape, random);
  if (points.empty()) return std::nullopt;
  const Eigen::VectorXd worth = surrogate.worth(landscape.features.encode(points));
  std::vector<RatedPoint> rated;
  for (const Eigen::Index i : descending(worth)) {
    rated.push_back({.at = points[static_cast<std::size_t>(i)], .worth = worth[i]});
  }
  std::optional<RatedPoint> best;
  const auto consider = [&](const RatedPoint& candidate) {
    if (best && !(candidate.worth > best->worth)) return;
    if (auto fresh = landscape.visited.fresh(candidate.at, landscape.pending)) {
      best = RatedPoint{.at = std::move(*fresh), .worth = candidate.worth};
    }
  };
  consider(rated.front());
  std::vector<RatedPoint> starts = starts_among(rated);
  if (!landscape.incumbents.empty()) {
    const Coordinates& incumbent = landscape.incumbents.front();
    starts.push_back(
        {.at = incumbent, .worth = surrogate.worth(landscape.features.encode(incumbent))[0]});
  }
  for (RatedPoint& start : starts) consider(climb(surrogate, landscape, std::move(start)));
  return best->at;
}

}  // namespace quantsearch::gp
