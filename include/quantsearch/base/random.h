#pragma once

// Seeded random streams whose numbers are the same on every platform and standard library.

#include <cstdint>
#include <string_view>

namespace quantsearch {

/// xoshiro256++ (Blackman & Vigna 2019, https://prng.di.unimi.it), seeded through SplitMix64.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed) noexcept;
  /// The stream of one stage of one trial: independent of every other (seed, trial, stage).
  RandomStream(std::uint64_t seed, std::int64_t trial, std::string_view stage) noexcept;

  [[nodiscard]] std::uint64_t next() noexcept;
  /// Uniform in [0, 1), 53 random bits.
  [[nodiscard]] double uniform() noexcept;
  /// Uniform in [0, bound), bound >= 1, without modulo bias (Lemire 2019).
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept;
  /// Standard normal (Box-Muller, both halves used).
  [[nodiscard]] double normal() noexcept;

 private:
  std::uint64_t state_[4];
  double spare_normal_ = 0.0;
  bool has_spare_ = false;
};

}  // namespace quantsearch
