#pragma once

// A sample of an output of the float model and that of the candidate, made comparable where they
// are not comparable as they are.

#include <cstddef>
#include <span>
#include <vector>

#include "evaluate/sample.h"

namespace quantsearch {

/// Both are 0 where the float model is not finite, so that they do not differ there.
class SamplePair {
 public:
  /// `is_finite` tells that the float model's values are known to be finite.
  SamplePair(const Sample& reference, const Sample& candidate, bool is_finite);
  // Moving a vector keeps the address of its values; a copy would not.
  SamplePair(SamplePair&&) noexcept = default;
  /// A pair of outputs whose sizes depend on the data and differ, so that their values cannot be
  /// matched. The candidate then counts as zeros, as if it had missed everything that the float
  /// model found. Where the float model found nothing, the reference counts as zeros instead.
  [[nodiscard]] static SamplePair of_other_size(const Sample& reference, const Sample& candidate,
                                                bool is_finite);

  [[nodiscard]] const Sample& reference() const { return reference_; }
  [[nodiscard]] const Sample& candidate() const { return candidate_; }
  /// Number of values that are compared.
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  Sample reference_;
  Sample candidate_;
  std::size_t count_;
  std::vector<float> owned_reference_;
  std::vector<float> owned_candidate_;
};

/// The values, with 0 in place of those that are not finite.
[[nodiscard]] std::vector<float> finite_values(std::span<const float> values);

}  // namespace quantsearch
