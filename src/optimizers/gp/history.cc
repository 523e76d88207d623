#include "optimizers/gp/history.h"

#include <algorithm>
#include <numeric>

namespace quantsearch::gp {

namespace {

/// Largest number of observations used. The time of a factorisation grows with the cube of their
/// number, so that more cost more time than they gain.
constexpr std::size_t kMostObservations = 300;
constexpr std::size_t kFitEachUntil = 40;
constexpr std::size_t kFitShare = 16;  // later after each growth by a sixteenth

/// Returns the sum of each observation's ranks over the objectives.
std::vector<std::size_t> rank_sums(const std::vector<const Observation*>& observations) {
  std::vector<std::size_t> sums(observations.size(), 0);
  std::vector<std::size_t> order(observations.size());
  for (std::size_t j = 0; j < observations.front()->objectives.size(); ++j) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {},
                             [&](std::size_t i) { return observations[i]->objectives[j]; });
    for (std::size_t rank = 0; rank < order.size(); ++rank) sums[order[rank]] += rank;
  }
  return sums;
}

}  // namespace

std::vector<const Observation*> relevant(const std::vector<Observation>& observations,
                                         std::size_t count) {
  std::vector<const Observation*> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(&observations[i]);
  if (count <= kMostObservations) return all;
  const std::vector<std::size_t> ranks = rank_sums(all);
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return ranks[i]; });
  std::vector<bool> is_kept(count, false);
  std::fill(is_kept.end() - kMostObservations / 2, is_kept.end(), true);
  std::size_t room = kMostObservations - kMostObservations / 2;
  for (const std::size_t i : order) {
    if (room == 0) break;
    if (is_kept[i]) continue;
    is_kept[i] = true;
    --room;
  }
  std::vector<const Observation*> kept;
  for (std::size_t i = 0; i < count; ++i) {
    if (is_kept[i]) kept.push_back(all[i]);
  }
  return kept;
}

std::size_t constraint_count(const std::vector<Observation>& observations) {
  std::size_t most = 0;
  for (const Observation& observation : observations) {
    most = std::max(most, observation.constraints.size());
  }
  return most;
}

Series series_of(const std::vector<const Observation*>& observations, const FeatureMap& features,
                 std::size_t objectives, std::size_t output) {
  std::vector<Coordinates> points;
  std::vector<double> values;
  std::vector<double> variances;
  for (const Observation* observation : observations) {
    const bool is_objective = output < objectives;
    const auto& outputs = is_objective ? observation->objectives : observation->constraints;
    const std::size_t place = is_objective ? output : output - objectives;
    if (place >= outputs.size()) continue;
    points.push_back(observation->at);
    values.push_back(outputs[place]);
    variances.push_back(output == 0 ? observation->variance : 0);
  }
  const auto count = static_cast<Eigen::Index>(values.size());
  return {.features = features.encode(points),
          .dimension_of = features.dimension_of(),
          .values = Eigen::Map<const Eigen::VectorXd>(values.data(), count),
          .variances = Eigen::Map<const Eigen::VectorXd>(variances.data(), count)};
}

bool is_feasible(const Observation& observation) {
  return std::ranges::all_of(observation.constraints, [](double value) { return value <= 0; });
}

std::vector<FitPoint> fit_points(std::size_t first, std::size_t observations) {
  std::vector<FitPoint> points;
  std::size_t next_from_scratch = first;
  for (std::size_t count = first; count <= observations;) {
    const bool from_scratch = count >= next_from_scratch;
    if (from_scratch) next_from_scratch = 2 * count;
    points.push_back({.observations = count, .from_scratch = from_scratch});
    count += count < kFitEachUntil ? 1 : count / kFitShare;
  }
  return points;
}

}  // namespace quantsearch::gp
