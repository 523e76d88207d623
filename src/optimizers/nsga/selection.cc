#include "optimizers/nsga/selection.h"

#include <algorithm>
#include <utility>

#include "optimizers/nsga/niches.h"
#include "optimizers/pareto/crowding.h"

namespace quantsearch {

namespace {

using Fronts = std::vector<std::vector<std::size_t>>;

Fronts rank(std::vector<NsgaMember>& members) {
  std::vector<Losses> losses;
  std::vector<double> violations;
  for (const NsgaMember& member : members) {
    losses.push_back(member.losses);
    violations.push_back(member.violation);
  }
  const auto ranks = constrained_ranks(losses, violations);
  for (std::size_t i = 0; i < members.size(); ++i) members[i].rank = ranks[i];
  return fronts_of(ranks);
}

std::vector<Losses> losses_of(const std::vector<NsgaMember>& members,
                              std::span<const std::size_t> indices) {
  std::vector<Losses> losses;
  losses.reserve(indices.size());
  for (const std::size_t index : indices) losses.push_back(members[index].losses);
  return losses;
}

void measure_crowding(std::vector<NsgaMember>& members, std::span<const std::size_t> front) {
  const auto distances = crowding_distances(losses_of(members, front));
  for (std::size_t i = 0; i < front.size(); ++i) members[front[i]].crowding = distances[i];
}

/// The members of the fronts that fit as a whole, and the first front that does not (empty when all
/// do).
struct Division {
  std::vector<std::size_t> settled;
  std::vector<std::size_t> contested;
};

Division divide(const Fronts& fronts, std::size_t count) {
  Division division;
  for (const auto& front : fronts) {
    if (division.settled.size() + front.size() > count) {
      division.contested = front;
      break;
    }
    division.settled.insert(division.settled.end(), front.begin(), front.end());
  }
  return division;
}

std::vector<NsgaMember> keep(std::vector<NsgaMember> members, std::vector<std::size_t> indices) {
  std::ranges::sort(indices);
  std::vector<NsgaMember> kept;
  kept.reserve(indices.size());
  for (const std::size_t index : indices) kept.push_back(std::move(members[index]));
  return kept;
}

}  // namespace

std::vector<NsgaMember> select_uncrowded(std::vector<NsgaMember> members, std::size_t count) {
  const Fronts fronts = rank(members);
  for (const auto& front : fronts) measure_crowding(members, front);
  Division division = divide(fronts, count);
  std::ranges::stable_sort(division.contested, std::ranges::greater{},
                           [&](std::size_t index) { return members[index].crowding; });
  for (const std::size_t index : division.contested) {
    if (division.settled.size() == count) break;
    division.settled.push_back(index);
  }
  return keep(std::move(members), std::move(division.settled));
}

std::vector<NsgaMember> select_by_niche(std::vector<NsgaMember> members, std::size_t count,
                                        std::span<const Losses> directions, RandomStream& random) {
  const Fronts fronts = rank(members);
  Division division = divide(fronts, count);
  const std::size_t settled = division.settled.size();
  if (settled < count && !division.contested.empty()) {
    std::vector<std::size_t> all = division.settled;
    all.insert(all.end(), division.contested.begin(), division.contested.end());
    for (const std::size_t chosen :
         fill_niches(losses_of(members, all), settled, count - settled, directions, random))
      division.settled.push_back(all[chosen]);
  }
  return keep(std::move(members), std::move(division.settled));
}

const NsgaMember& better_parent(const NsgaMember& one, const NsgaMember& other) {
  if (one.rank != other.rank) return one.rank < other.rank ? one : other;
  return other.crowding > one.crowding ? other : one;
}

}  // namespace quantsearch
