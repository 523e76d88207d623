#pragma once

// A sequential randomization test of paired differences.

#include <cstdint>
#include <vector>

#include "quantsearch/base/random.h"

namespace quantsearch {

/// Sums of the differences seen, and beside them the sums with random signs. When the differences
/// are symmetric about zero all of them are exchangeable: that the true one is among the
/// `share` * `paths` that crossed first has at most the probability `share`, however many looks
/// there are.
class SignFlips {
 public:
  SignFlips(std::int64_t paths, std::uint64_t seed);

  void add(double difference);
  /// Lets the largest sums cross until, of all paths, at most `share` have; a sum at or below zero
  /// or equal to one that may not stays. Whether the true one has crossed, now or before.
  bool look(double share);

  [[nodiscard]] std::int64_t paths() const { return static_cast<std::int64_t>(sums_.size()); }

 private:
  std::vector<double> sums_;  // the true one first
  std::vector<bool> crossed_;
  std::int64_t crossed_count_ = 0;
  RandomStream random_;
};

}  // namespace quantsearch
