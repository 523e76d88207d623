#include "optimizers/qmc/halton.h"

#include <algorithm>
#include <utility>

#include "quantsearch/base/random.h"

namespace quantsearch {

namespace {

std::vector<std::uint32_t> first_primes(std::size_t count) {
  std::vector<std::uint32_t> primes;
  for (std::uint32_t number = 2; primes.size() < count; ++number) {
    if (std::ranges::none_of(primes, [&](std::uint32_t prime) { return number % prime == 0; }))
      primes.push_back(number);
  }
  return primes;
}

/// Returns the largest number of digits of an index below 2^32.
std::size_t places_of(std::uint32_t base) {
  std::size_t places = 0;
  for (std::uint64_t reach = 1; reach < (std::uint64_t{1} << 32); reach *= base) ++places;
  return places;
}

}  // namespace

Halton::Halton(std::size_t dimensions) : axes_(dimensions) {
  const std::vector<std::uint32_t> primes = first_primes(dimensions);
  for (std::size_t dimension = 0; dimension < dimensions; ++dimension) {
    Axis& axis = axes_[dimension];
    axis.base = primes[dimension];
    axis.places = places_of(axis.base);
    double unit = 1;
    for (std::size_t place = 0; place < axis.places; ++place) {
      unit /= axis.base;
      for (std::uint32_t digit = 0; digit < axis.base; ++digit)
        axis.digit_values.push_back(digit * unit);
    }
  }
}

Halton::Halton(std::size_t dimensions, std::uint64_t scramble_seed) : Halton(dimensions) {
  for (std::size_t dimension = 0; dimension < dimensions; ++dimension) {
    Axis& axis = axes_[dimension];
    RandomStream random(scramble_seed, static_cast<std::int64_t>(dimension), "halton");
    for (std::size_t place = 0; place < axis.places; ++place) {
      double* const digits = axis.digit_values.data() + place * axis.base;
      for (std::uint32_t last = axis.base; last-- > 1;)
        std::swap(digits[last], digits[random.below(last + 1)]);
    }
  }
}

double Halton::at(std::uint32_t index, std::size_t dimension) const {
  const Axis& axis = axes_[dimension];
  double sum = 0;
  // All places are summed, because scrambling also changes leading zeros.
  for (std::size_t place = 0; place < axis.places; ++place) {
    sum += axis.digit_values[place * axis.base + index % axis.base];
    index /= axis.base;
  }
  return std::min(sum, 0x1.fffffffffffffp-1);
}

}  // namespace quantsearch
