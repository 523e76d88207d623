#pragma once

// The Halton sequence (1960): the digits of the index in a prime base, mirrored at the radix point.
// It is scrambled by an independent random permutation of each digit (Owen 2017, "A randomized
// Halton algorithm in R", arXiv 1706.02808).

#include <cstdint>
#include <vector>

namespace quantsearch {

class Halton {
 public:
  /// The base of dimension d is the d-th prime.
  explicit Halton(std::size_t dimensions);
  Halton(std::size_t dimensions, std::uint64_t scramble_seed);

  /// Returns the coordinate of point `index`, in [0, 1).
  [[nodiscard]] double at(std::uint32_t index, std::size_t dimension) const;

 private:
  struct Axis {
    std::uint32_t base = 2;
    std::vector<double> digit_values;  // [digit place][digit]: permuted digit * base^-(place + 1)
    std::size_t places = 0;
  };
  std::vector<Axis> axes_;
};

}  // namespace quantsearch
