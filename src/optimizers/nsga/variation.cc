#include "optimizers/nsga/variation.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace quantsearch {

namespace {

// The two-objective experiments of the paper use 20 for both. With some hundred trials instead of
// the paper's 25 000, a wider crossover should explore more; this has not been measured.
constexpr double kCrossoverIndex = 10;
constexpr double kMutationIndex = 20;
constexpr double kExchange = 0.5;     // share of dimensions that are crossed over
constexpr double kIdentical = 1e-14;  // parents closer than this pass on their value unchanged

}  // namespace

double simulated_binary(double one, double other, double spread_index, double u, bool upper) {
  const double low = std::min(one, other);
  const double high = std::max(one, other);
  const double gap = high - low;
  if (gap < kIdentical) return one;
  const double room = upper ? 1 - high : low;
  const double power = spread_index + 1;
  const double alpha = 2 - std::pow(1 + 2 * room / gap, -power);
  const double base = u * alpha <= 1 ? u * alpha : 1 / (2 - u * alpha);
  const double spread = std::pow(base, 1 / power) * gap;
  const double child = ((low + high) + (upper ? spread : -spread)) / 2;
  return std::clamp(child, 0.0, 1.0);
}

double polynomial_mutation(double value, double spread_index, double u) {
  const double power = spread_index + 1;
  if (u <= 0.5) {
    const double base = 2 * u + (1 - 2 * u) * std::pow(1 - value, power);
    return std::clamp(value + std::pow(base, 1 / power) - 1, 0.0, 1.0);
  }
  const double base = 2 * (1 - u) + (2 * u - 1) * std::pow(value, power);
  return std::clamp(value + 1 - std::pow(base, 1 / power), 0.0, 1.0);
}

Variation::Variation(const std::vector<Axis>& axes) : axes_(axes) {
  const auto free = std::ranges::count_if(axes, [](const Axis& axis) { return !axis.is_single(); });
  free_dimensions_ = static_cast<double>(free);
}

double Variation::cross(std::size_t dimension, double one, double other,
                        RandomStream& random) const {
  const Axis& axis = axes_[dimension];
  const bool crossed = random.uniform() < kExchange;
  if (!crossed || one == other) return one;
  if (axis.is_categorical()) return other;
  const bool upper = random.below(2) == 1;
  const double child = simulated_binary(axis.to_unit(one), axis.to_unit(other), kCrossoverIndex,
                                        random.uniform(), upper);
  return axis.from_unit(child);
}

double Variation::mutate(const Axis& axis, double coordinate, RandomStream& random) const {
  if (axis.is_categorical()) {
    const auto draw =
        static_cast<double>(random.below(static_cast<std::uint64_t>(axis.count() - 1)));
    return draw < coordinate ? draw : draw + 1;  // every other category has the same probability
  }
  const double u = random.uniform();
  const double mutated =
      axis.from_unit(polynomial_mutation(axis.to_unit(coordinate), kMutationIndex, u));
  if (axis.step() == 0 || mutated != coordinate) return mutated;
  // On a coarse grid a small step rounds to none; the neighbouring value is taken instead.
  const bool down = coordinate == axis.last() || (coordinate != axis.first() && u <= 0.5);
  return axis.coordinate(axis.position(coordinate + (down ? -axis.step() : axis.step())));
}

Coordinates Variation::child(const Coordinates& one, const Coordinates& other, double strength,
                             RandomStream& random) const {
  const double rate = free_dimensions_ > 0 ? strength / free_dimensions_ : 0;
  const bool swapped = random.below(2) == 1;
  const Coordinates& first = swapped ? other : one;
  const Coordinates& second = swapped ? one : other;
  Coordinates made;
  made.reserve(axes_.size());
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const Axis& axis = axes_[i];
    double value = kInactive;
    if (is_active(first[i]) && is_active(second[i])) {
      value = cross(i, first[i], second[i], random);
    } else if (is_active(first[i]) || is_active(second[i])) {
      value = is_active(first[i]) ? first[i] : second[i];
    }
    if (!is_active(value)) {
      value = axis.from_unit(random.uniform());
    } else if (!axis.is_single() && random.uniform() < rate) {
      value = mutate(axis, value, random);
    }
    made.push_back(value);
  }
  return made;
}

}  // namespace quantsearch
