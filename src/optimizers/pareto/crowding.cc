#include "optimizers/pareto/crowding.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace quantsearch {

std::vector<double> crowding_distances(std::span<const Losses> front) {
  std::vector<double> distances(front.size(), 0.0);
  if (front.empty()) return distances;
  std::vector<std::size_t> order(front.size());
  for (std::size_t objective = 0; objective < front[0].size(); ++objective) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t index) { return front[index][objective]; });
    const auto loss = [&](std::size_t place) { return front[order[place]][objective]; };
    const double range = loss(order.size() - 1) - loss(0);
    if (!(range > 0) || !std::isfinite(range)) continue;
    distances[order.front()] = std::numeric_limits<double>::infinity();
    distances[order.back()] = std::numeric_limits<double>::infinity();
    for (std::size_t place = 1; place + 1 < order.size(); ++place)
      distances[order[place]] += (loss(place + 1) - loss(place - 1)) / range;
  }
  return distances;
}

}  // namespace quantsearch
