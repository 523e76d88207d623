#include "optimizers/qmc/sobol.h"

#include <fmt/core.h>

#include <bit>

#include "optimizers/qmc/sobol_table.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr std::size_t kBits = 32;
using Directions = std::array<std::uint32_t, kBits>;

Directions van_der_corput() {
  Directions directions{};
  for (std::size_t bit = 0; bit < kBits; ++bit) directions[bit] = 1U << (kBits - 1 - bit);
  return directions;
}

/// v_i = v_{i-s} ^ (v_{i-s} >> s) ^ a_1 v_{i-1} ^ ... ^ a_{s-1} v_{i-s+1}, where the a_k are the
/// coefficients of the polynomial (Bratley & Fox 1988, equation 2, with v = m 2^(32-i)).
Directions directions_of(const sobol_table::SobolDirection& row) {
  const auto degree = static_cast<std::size_t>(std::bit_width(row.polynomial)) - 1;
  Directions directions{};
  for (std::size_t bit = 0; bit < degree; ++bit)
    directions[bit] = static_cast<std::uint32_t>(row.initial[bit]) << (kBits - 1 - bit);
  for (std::size_t bit = degree; bit < kBits; ++bit) {
    std::uint32_t value = directions[bit - degree] ^ (directions[bit - degree] >> degree);
    for (std::size_t back = 1; back < degree; ++back) {
      if ((row.polynomial >> (degree - back)) & 1U) value ^= directions[bit - back];
    }
    directions[bit] = value;
  }
  return directions;
}

std::uint32_t reversed(std::uint32_t bits) {
  bits = (bits >> 16) | (bits << 16);
  bits = ((bits & 0x00ff00ffU) << 8) | ((bits & 0xff00ff00U) >> 8);
  bits = ((bits & 0x0f0f0f0fU) << 4) | ((bits & 0xf0f0f0f0U) >> 4);
  bits = ((bits & 0x33333333U) << 2) | ((bits & 0xccccccccU) >> 2);
  return ((bits & 0x55555555U) << 1) | ((bits & 0xaaaaaaaaU) >> 1);
}

}  // namespace

Sobol::Sobol(std::size_t dimensions) {
  if (dimensions > kMaxDimensions) {
    throw Unsupported(fmt::format(
        "search: the Sobol sequence has {} dimensions here, got a domain of {}; use Halton's",
        kMaxDimensions, dimensions));
  }
  directions_.reserve(dimensions);
  for (std::size_t dimension = 0; dimension < dimensions; ++dimension) {
    directions_.push_back(dimension == 0 ? van_der_corput()
                                         : directions_of(sobol_table::kDirections[dimension - 1]));
  }
}

std::uint32_t Sobol::at(std::uint32_t index, std::size_t dimension) const {
  std::uint32_t fraction = 0;
  const Directions& directions = directions_[dimension];
  for (std::uint32_t gray = index ^ (index >> 1); gray != 0; gray &= gray - 1)
    fraction ^= directions[static_cast<std::size_t>(std::countr_zero(gray))];
  return fraction;
}

std::uint32_t owen_scrambled(std::uint32_t fraction, std::uint32_t seed) {
  // In the reversed word every step makes a bit depend only on lower bits, which are the higher
  // bits of the fraction.
  std::uint32_t bits = reversed(fraction);
  bits ^= bits * 0x3d20adeaU;
  bits += seed;
  bits *= (seed >> 16) | 1U;
  bits ^= bits * 0x05526c56U;
  bits ^= bits * 0x53a22864U;
  return reversed(bits);
}

}  // namespace quantsearch
