#pragma once

// A sample of an output of the float model and the candidate's, made comparable where the plain
// values are not.

#include <cstddef>
#include <span>
#include <vector>

#include "evaluate/sample.h"

namespace quantsearch {

/// Both are 0 where the float model is not finite, so that they differ in nothing there.
class SamplePair {
 public:
  /// `is_finite`: the float model's values are known to be.
  SamplePair(const Sample& reference, const Sample& candidate, bool is_finite);
  // Moved vectors keep their values in place; copies would not.
  SamplePair(SamplePair&&) noexcept = default;
  /// Of outputs that are sized by the data and have come out with different sizes, which nothing
  /// can pair: the candidate has missed all that the float model found or, where that is nothing,
  /// found what is not there. The other side is zeros.
  [[nodiscard]] static SamplePair of_other_size(const Sample& reference, const Sample& candidate,
                                                bool is_finite);

  [[nodiscard]] const Sample& reference() const { return reference_; }
  [[nodiscard]] const Sample& candidate() const { return candidate_; }
  /// Values that are compared.
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  Sample reference_;
  Sample candidate_;
  std::size_t count_;
  std::vector<float> owned_reference_;
  std::vector<float> owned_candidate_;
};

/// The values with 0 in place of those that are not finite.
[[nodiscard]] std::vector<float> finite_values(std::span<const float> values);

}  // namespace quantsearch
