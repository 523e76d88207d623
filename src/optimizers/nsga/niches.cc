#include "optimizers/nsga/niches.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>

namespace quantsearch {

namespace {

constexpr double kOffAxis = 1e6;    // weight of the other objectives when looking for an extreme
constexpr double kNoRange = 1e-12;  // smaller intercepts are not usable

/// Adds to `layer` all ways of distributing the `left` of `parts` over the objectives from
/// `objective` on.
void share_out(Losses& shares, std::size_t objective, int left, int parts,
               std::vector<Losses>& layer) {
  if (objective + 1 == shares.size()) {
    shares[objective] = static_cast<double>(left) / parts;
    layer.push_back(shares);
    return;
  }
  for (int part = 0; part <= left; ++part) {
    shares[objective] = static_cast<double>(part) / parts;
    share_out(shares, objective + 1, left - part, parts, layer);
  }
}

std::vector<Losses> layer_of(std::size_t objectives, int parts) {
  std::vector<Losses> layer;
  Losses shares(objectives);
  share_out(shares, 0, parts, parts, layer);
  return layer;
}

/// Returns the number of ways to distribute the parts: the binomial coefficient of objectives +
/// parts - 1 over parts.
double layer_size(std::size_t objectives, int parts) {
  double size = 1;
  for (int part = 1; part <= parts; ++part)
    size = size * (static_cast<double>(objectives) + part - 1) / part;
  return size;
}

int finest_parts(std::size_t objectives, std::size_t limit) {
  int parts = 1;
  while (objectives > 1 && layer_size(objectives, parts + 1) <= static_cast<double>(limit)) ++parts;
  return parts;
}

/// Returns the intercepts of the plane through the extreme points; empty when one is not above zero
/// or when there is no such plane.
std::vector<double> plane_intercepts(std::span<const Losses> moved) {
  const std::size_t objectives = moved[0].size();
  const auto size = static_cast<Eigen::Index>(objectives);
  Eigen::MatrixXd extremes(size, size);
  for (std::size_t axis = 0; axis < objectives; ++axis) {
    const auto off_axis = [&](const Losses& point) {
      double worst = 0;
      for (std::size_t i = 0; i < objectives; ++i)
        worst = std::max(worst, point[i] * (i == axis ? 1 : kOffAxis));
      return worst;
    };
    const Losses& extreme = *std::ranges::min_element(moved, {}, off_axis);
    for (std::size_t i = 0; i < objectives; ++i)
      extremes(static_cast<Eigen::Index>(axis), static_cast<Eigen::Index>(i)) = extreme[i];
  }
  const Eigen::FullPivLU<Eigen::MatrixXd> factors(extremes);
  if (!factors.isInvertible()) return {};
  const Eigen::VectorXd inverse = factors.solve(Eigen::VectorXd::Ones(size));
  std::vector<double> intercepts;
  for (Eigen::Index i = 0; i < size; ++i) intercepts.push_back(1 / inverse[i]);
  const bool usable =
      std::ranges::all_of(intercepts, [](double at) { return std::isfinite(at) && at > kNoRange; });
  return usable ? intercepts : std::vector<double>{};
}

std::vector<double> largest_of(std::span<const Losses> points) {
  std::vector<double> largest = points[0];
  for (const Losses& point : points)
    for (std::size_t i = 0; i < point.size(); ++i) largest[i] = std::max(largest[i], point[i]);
  return largest;
}

/// Returns one with the fewest members of the directions that still have candidates; ties are
/// broken at random.
std::size_t emptiest(std::span<const std::size_t> members,
                     std::span<const std::vector<std::size_t>> candidates, RandomStream& random) {
  std::vector<std::size_t> least;
  for (std::size_t direction = 0; direction < members.size(); ++direction) {
    if (candidates[direction].empty()) continue;
    if (!least.empty() && members[direction] > members[least[0]]) continue;
    if (!least.empty() && members[direction] < members[least[0]]) least.clear();
    least.push_back(direction);
  }
  return least[random.below(least.size())];
}

}  // namespace

std::vector<Losses> reference_directions(std::size_t objectives, std::size_t limit) {
  const int parts = finest_parts(objectives, limit);
  std::vector<Losses> directions = layer_of(objectives, parts);
  if (static_cast<std::size_t>(parts) >= objectives) return directions;
  const std::size_t left = limit > directions.size() ? limit - directions.size() : 0;
  const int inner_parts = finest_parts(objectives, left);
  if (layer_size(objectives, inner_parts) > static_cast<double>(left)) return directions;
  for (Losses inner : layer_of(objectives, inner_parts)) {
    for (double& share : inner) share = (share + 1 / static_cast<double>(objectives)) / 2;
    directions.push_back(std::move(inner));
  }
  return directions;
}

std::vector<Losses> normalised(std::span<const Losses> points) {
  std::vector<Losses> moved(points.begin(), points.end());
  Losses ideal = points[0];
  for (const Losses& point : points)
    for (std::size_t i = 0; i < point.size(); ++i) ideal[i] = std::min(ideal[i], point[i]);
  for (Losses& point : moved)
    for (std::size_t i = 0; i < point.size(); ++i) point[i] -= ideal[i];
  std::vector<double> scale = plane_intercepts(moved);
  if (scale.empty()) scale = largest_of(moved);
  for (Losses& point : moved)
    for (std::size_t i = 0; i < point.size(); ++i)
      point[i] = scale[i] > kNoRange ? point[i] / scale[i] : 0;
  return moved;
}

Association nearest_direction(const Losses& normalised, std::span<const Losses> directions) {
  Association nearest{.direction = 0, .distance = std::numeric_limits<double>::infinity()};
  double squared_length = 0;
  for (const double loss : normalised) squared_length += loss * loss;
  for (std::size_t direction = 0; direction < directions.size(); ++direction) {
    double along = 0;
    double norm = 0;
    for (std::size_t i = 0; i < normalised.size(); ++i) {
      along += normalised[i] * directions[direction][i];
      norm += directions[direction][i] * directions[direction][i];
    }
    const double squared = squared_length - along * along / norm;
    if (squared < nearest.distance) nearest = {.direction = direction, .distance = squared};
  }
  nearest.distance = std::sqrt(std::max(nearest.distance, 0.0));
  return nearest;
}

std::vector<std::size_t> fill_niches(std::span<const Losses> points, std::size_t settled,
                                     std::size_t count, std::span<const Losses> directions,
                                     RandomStream& random) {
  const std::vector<Losses> relative = normalised(points);
  std::vector<double> distances;
  std::vector<std::size_t> members(directions.size(), 0);
  std::vector<std::vector<std::size_t>> candidates(directions.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Association association = nearest_direction(relative[i], directions);
    distances.push_back(association.distance);
    if (i < settled) {
      ++members[association.direction];
    } else {
      candidates[association.direction].push_back(i);
    }
  }
  std::vector<std::size_t> chosen;
  while (chosen.size() < count) {
    const std::size_t direction = emptiest(members, candidates, random);
    auto& niche = candidates[direction];
    const auto pick =
        members[direction] == 0
            ? std::ranges::min_element(niche, {}, [&](std::size_t i) { return distances[i]; })
            : niche.begin() + static_cast<std::ptrdiff_t>(random.below(niche.size()));
    chosen.push_back(*pick);
    niche.erase(pick);
    ++members[direction];
  }
  return chosen;
}

}  // namespace quantsearch
