#include "quantsearch/optimizers/non_dominated.h"

#include <algorithm>
#include <numeric>

namespace quantsearch {

namespace {

std::vector<std::size_t> lexicographic_order(std::span<const Losses> points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return points[a] != points[b] ? points[a] < points[b] : a < b;
  });
  return order;
}

/// Returns the first front that has no member dominating a point. When a front has such a member,
/// all fronts before it have one too, so that bisection finds it.
template <typename Dominated>
std::int64_t first_front(std::int64_t fronts, const Dominated& dominated) {
  std::int64_t low = 0;
  std::int64_t high = fronts;
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    if (dominated(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// Points that dominate a point come before it in lexicographic order, so that each point is
/// compared only with the fronts built so far. With two objectives the least second loss of a front
/// suffices.
std::vector<std::int64_t> ranks_of_pairs(std::span<const Losses> points) {
  std::vector<std::int64_t> ranks(points.size());
  std::vector<double> least;  // least second loss of each front
  const Losses* previous = nullptr;
  std::int64_t rank = 0;
  for (const std::size_t index : lexicographic_order(points)) {
    const Losses& point = points[index];
    if (previous == nullptr || *previous != point) {
      rank = std::ranges::upper_bound(least, point[1]) - least.begin();
      if (rank == std::ssize(least)) least.push_back(point[1]);
      least[static_cast<std::size_t>(rank)] = point[1];
    }
    ranks[index] = rank;
    previous = &point;
  }
  return ranks;
}

std::vector<std::int64_t> ranks_of_many(std::span<const Losses> points) {
  std::vector<std::int64_t> ranks(points.size());
  std::vector<std::vector<std::size_t>> fronts;
  const Losses* previous = nullptr;
  std::int64_t rank = 0;
  for (const std::size_t index : lexicographic_order(points)) {
    const Losses& point = points[index];
    if (previous == nullptr || *previous != point) {
      rank = first_front(std::ssize(fronts), [&](std::int64_t front) {
        const auto& members = fronts[static_cast<std::size_t>(front)];
        // The latest member is the nearest in the order and the most likely to dominate.
        return std::any_of(members.rbegin(), members.rend(),
                           [&](std::size_t member) { return dominates(points[member], point); });
      });
      if (rank == std::ssize(fronts)) fronts.emplace_back();
      fronts[static_cast<std::size_t>(rank)].push_back(index);
    }
    ranks[index] = rank;
    previous = &point;
  }
  return ranks;
}

std::vector<std::int64_t> dense_ranks(std::span<const double> values) {
  std::vector<double> distinct(values.begin(), values.end());
  std::ranges::sort(distinct);
  // Not std::ranges::unique, which clang 14 does not compile.
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<std::int64_t> ranks;
  ranks.reserve(values.size());
  for (const double value : values)
    ranks.push_back(std::ranges::lower_bound(distinct, value) - distinct.begin());
  return ranks;
}

}  // namespace

bool dominates(std::span<const double> one, std::span<const double> other) {
  bool better = false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i] > other[i]) return false;
    better = better || one[i] < other[i];
  }
  return better;
}

double violation_of(std::span<const double> constraints) {
  double sum = 0;
  for (const double constraint : constraints) sum += std::max(constraint, 0.0);
  return sum;
}

std::vector<std::int64_t> non_dominated_ranks(std::span<const Losses> points) {
  if (points.empty()) return {};
  if (points[0].size() == 2) return ranks_of_pairs(points);
  if (points[0].size() > 2) return ranks_of_many(points);
  std::vector<double> losses;
  losses.reserve(points.size());
  for (const Losses& point : points) losses.push_back(point[0]);
  return dense_ranks(losses);
}

std::vector<std::int64_t> constrained_ranks(std::span<const Losses> points,
                                            std::span<const double> violations) {
  std::vector<Losses> feasible;
  std::vector<double> violated;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (violations[i] > 0) {
      violated.push_back(violations[i]);
    } else {
      feasible.push_back(points[i]);
    }
  }
  const auto feasible_ranks = non_dominated_ranks(feasible);
  const auto violated_ranks = dense_ranks(violated);
  const std::int64_t behind = feasible.empty() ? 0 : *std::ranges::max_element(feasible_ranks) + 1;
  std::vector<std::int64_t> ranks;
  ranks.reserve(points.size());
  auto of_feasible = feasible_ranks.begin();
  auto of_violated = violated_ranks.begin();
  for (const double violation : violations)
    ranks.push_back(violation > 0 ? behind + *of_violated++ : *of_feasible++);
  return ranks;
}

std::vector<std::vector<std::size_t>> fronts_of(std::span<const std::int64_t> ranks) {
  std::vector<std::vector<std::size_t>> fronts;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const auto rank = static_cast<std::size_t>(ranks[i]);
    if (fronts.size() <= rank) fronts.resize(rank + 1);
    fronts[rank].push_back(i);
  }
  return fronts;
}

}  // namespace quantsearch
