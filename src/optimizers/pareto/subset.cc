#include "optimizers/pareto/subset.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>

#include "optimizers/pareto/hypervolume.h"

namespace quantsearch {

namespace {

/// The gain of a point of a front is a rectangle from the point to the nearest chosen points at its
/// right and above it.
std::vector<std::size_t> subset_of_pairs(std::span<const Losses> front, const Losses& reference,
                                         std::size_t count) {
  std::vector<Losses> corners(front.size(), reference);
  std::vector<bool> taken(front.size(), false);
  const auto gain = [&](std::size_t i) {
    return std::max(corners[i][0] - front[i][0], 0.0) * std::max(corners[i][1] - front[i][1], 0.0);
  };
  std::vector<std::size_t> chosen;
  while (chosen.size() < count) {
    std::size_t best = front.size();
    for (std::size_t i = 0; i < front.size(); ++i)
      if (!taken[i] && (best == front.size() || gain(i) > gain(best))) best = i;
    taken[best] = true;
    chosen.push_back(best);
    for (std::size_t i = 0; i < front.size(); ++i) {
      const std::size_t side = front[i][0] < front[best][0] ? 0 : 1;
      corners[i][side] = std::min(corners[i][side], front[best][side]);
    }
  }
  return chosen;
}

struct Bound {
  double gain = 0;             // upper bound of the gain
  std::size_t index = 0;       // of the point
  std::size_t known_when = 0;  // number of chosen points when it was computed
};

struct LessPromising {
  bool operator()(const Bound& one, const Bound& other) const {
    return one.gain != other.gain ? one.gain < other.gain : one.index > other.index;
  }
};

std::vector<std::size_t> lazy_subset(std::span<const Losses> front, const Losses& reference,
                                     std::size_t count) {
  std::priority_queue<Bound, std::vector<Bound>, LessPromising> bounds;
  for (std::size_t i = 0; i < front.size(); ++i) {
    const double gain = hypervolume_gain(front[i], {}, reference);
    bounds.push({.gain = gain, .index = i, .known_when = 0});
  }
  std::vector<std::size_t> chosen;
  std::vector<Losses> chosen_points;
  while (chosen.size() < count) {
    Bound top = bounds.top();
    bounds.pop();
    if (top.known_when == chosen.size()) {
      chosen.push_back(top.index);
      chosen_points.push_back(front[top.index]);
    } else {
      top.gain = hypervolume_gain(front[top.index], chosen_points, reference);
      top.known_when = chosen.size();
      bounds.push(top);
    }
  }
  return chosen;
}

}  // namespace

std::vector<std::size_t> greedy_hypervolume_subset(std::span<const Losses> front,
                                                   const Losses& reference, std::size_t count) {
  count = std::min(count, front.size());
  const bool finite = std::ranges::all_of(reference, [](double r) { return std::isfinite(r); });
  if (count == front.size() || !finite) {
    std::vector<std::size_t> first(count);
    std::iota(first.begin(), first.end(), std::size_t{0});
    return first;
  }
  return reference.size() == 2 ? subset_of_pairs(front, reference, count)
                               : lazy_subset(front, reference, count);
}

}  // namespace quantsearch
