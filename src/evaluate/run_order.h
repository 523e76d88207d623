#pragma once

// The order of the samples in which candidates race: whole runs in a pseudo-random order that is
// the same for all candidates, so that the first samples are as informative as any others.

#include <cstdint>
#include <vector>

namespace quantsearch {

/// A last run that is shorter than the others stays at the end.
class RunOrder {
 public:
  RunOrder(std::int64_t samples, std::int64_t batch);

  [[nodiscard]] std::int64_t size() const { return samples_; }
  /// Positions [k batch, (k + 1) batch) are one run over consecutive samples.
  [[nodiscard]] std::int64_t sample_at(std::int64_t position) const;

 private:
  std::int64_t samples_;
  std::int64_t batch_;
  std::vector<std::int64_t> runs_;  // numbers of the runs, in their order
};

}  // namespace quantsearch
