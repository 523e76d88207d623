#pragma once

// The Sobol sequence (Sobol' 1967; Antonov & Saleev 1979) with the direction numbers of Joe & Kuo
// (2008), and its nested uniform scrambling (Owen 1995). Any point can be computed from its index
// alone, so workers share nothing.

#include <array>
#include <cstdint>
#include <vector>

namespace quantsearch {

class Sobol {
 public:
  static constexpr std::size_t kMaxDimensions = 128;

  /// Throws Unsupported above kMaxDimensions.
  explicit Sobol(std::size_t dimensions);

  /// Coordinate of point `index` as a fraction of 2^32. In the Gray code order of index: any 2^k
  /// points from a multiple of 2^k on are a net.
  [[nodiscard]] std::uint32_t at(std::uint32_t index, std::size_t dimension) const;
  [[nodiscard]] std::size_t dimensions() const { return directions_.size(); }

 private:
  std::vector<std::array<std::uint32_t, 32>> directions_;  // the highest bit first
};

/// Each bit is flipped or not by a hash of the bits above it and of the seed: Owen's scrambling,
/// which keeps nets nets (Laine & Karras 2011; constants of Vegdahl 2021; Burley 2020).
[[nodiscard]] std::uint32_t owen_scrambled(std::uint32_t fraction, std::uint32_t seed);

}  // namespace quantsearch
