#pragma once

// The Sobol sequence (Sobol' 1967; Antonov & Saleev 1979) with the direction numbers of Joe & Kuo
// (2008), and its nested uniform scrambling (Owen 1995). A point is computed from its index alone,
// so that workers need no shared state.

#include <array>
#include <cstdint>
#include <vector>

namespace quantsearch {

class Sobol {
 public:
  static constexpr std::size_t kMaxDimensions = 128;

  /// Throws Unsupported above kMaxDimensions.
  explicit Sobol(std::size_t dimensions);

  /// Returns the coordinate of point `index` as a fraction of 2^32. Points are in Gray code order:
  /// any 2^k points that start at a multiple of 2^k form a net.
  [[nodiscard]] std::uint32_t at(std::uint32_t index, std::size_t dimension) const;
  [[nodiscard]] std::size_t dimensions() const { return directions_.size(); }

 private:
  std::vector<std::array<std::uint32_t, 32>> directions_;  // the highest bit first
};

/// Owen's scrambling: each bit is flipped or not according to a hash of the higher bits and the
/// seed. Nets stay nets (Laine & Karras 2011; constants of Vegdahl 2021; Burley 2020).
[[nodiscard]] std::uint32_t owen_scrambled(std::uint32_t fraction, std::uint32_t seed);

}  // namespace quantsearch
