#include "optimizers/visited.h"

#include <algorithm>
#include <bit>

namespace quantsearch {

Key key_of_coordinates(const Coordinates& point) {
  KeyBuilder key;
  for (const double coordinate : point) {
    key.add(is_active(coordinate) ? std::bit_cast<std::int64_t>(coordinate + 0.0)
                                  : std::int64_t{-1});
  }
  return key.finish();
}

void Visited::add(const Coordinates& canonical) { told_.insert(key_of_coordinates(canonical)); }

std::optional<Coordinates> Visited::fresh(const Coordinates& point,
                                          std::span<const Pending> pending) const {
  std::optional<Coordinates> canonical = domain_.canonical ? domain_.canonical(point) : point;
  if (!canonical) return std::nullopt;
  const Key key = key_of_coordinates(*canonical);
  if (told_.contains(key)) return std::nullopt;
  const bool running = std::ranges::any_of(
      pending, [&](const Pending& other) { return key_of_coordinates(other.at) == key; });
  return running ? std::nullopt : canonical;
}

std::optional<Coordinates> Visited::random_fresh(const std::vector<Axis>& axes,
                                                 RandomStream& random,
                                                 std::span<const Pending> pending) const {
  for (int draw = 0; draw < kDraws; ++draw) {
    if (auto point = fresh(random_coordinates(axes, random), pending)) return point;
  }
  if (domain_.points == nullptr || domain_.points->empty()) return std::nullopt;
  const auto& points = *domain_.points;
  const std::uint64_t start = random.below(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (auto point = fresh(points[(start + i) % points.size()], pending)) return point;
  }
  return std::nullopt;
}

}  // namespace quantsearch
