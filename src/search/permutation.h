#pragma once

// A pseudo-random order of 0 .. size-1 that is computed, not stored.

#include <array>
#include <cstdint>

namespace quantsearch {

/// A balanced Feistel network on the next even number of bits, with cycle walking: it is applied
/// until the result is inside the domain (Black & Rogaway 2002, "Ciphers with Arbitrary Finite
/// Domains", methods 2 and 3). At most four applications are expected, because the network's domain
/// is less than four times the size.
class Permutation {
 public:
  /// 1 <= size <= 2^62.
  Permutation(std::int64_t size, std::uint64_t seed);
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// The `position`-th number, 0 <= position < size().
  [[nodiscard]] std::int64_t at(std::int64_t position) const;

 private:
  [[nodiscard]] std::uint64_t encrypt(std::uint64_t block) const;

  // Four rounds suffice to hide structure when the halves are wide; halves of a few bits need
  // eight.
  static constexpr std::size_t kRounds = 8;
  std::int64_t size_;
  int half_bits_;
  std::array<std::uint64_t, kRounds> round_keys_{};
};

}  // namespace quantsearch
