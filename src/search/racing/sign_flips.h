#pragma once

// A sequential randomization test of paired differences.

#include <cstdint>
#include <vector>

#include "quantsearch/base/random.h"

namespace quantsearch {

/// Keeps the sum of the differences seen and, for every other path, their sum with random signs.
/// When the differences are symmetric about zero, all paths are exchangeable: the probability that
/// the observed one is among the first `share` * `paths` to cross is at most `share`, for any
/// number of looks.
class SignFlips {
 public:
  SignFlips(std::int64_t paths, std::uint64_t seed);

  void add(double difference);
  /// Marks the largest sums as crossed, as long as at most `share` of all paths have crossed. A sum
  /// that is not above zero, or that equals one that may not cross, does not cross. Returns whether
  /// the observed path has crossed, now or before.
  bool look(double share);

  [[nodiscard]] std::int64_t paths() const { return static_cast<std::int64_t>(sums_.size()); }

 private:
  std::vector<double> sums_;  // the observed path first
  std::vector<bool> crossed_;
  std::int64_t crossed_count_ = 0;
  RandomStream random_;
};

}  // namespace quantsearch
