#pragma once

// Sums of doubles without rounding, so that the order of the values does not matter (Neal 2015,
// arXiv:1505.05571, the "small superaccumulator"). They are fixed-point numbers in base 2^32 whose
// digits are signed 64-bit integers; carries are resolved only when a sum is read.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quantsearch {

/// A fixed number of sums that share one window of digits, which grows as the values need it. Each
/// sum takes up to 2^31 additions.
class ExactSums {
 public:
  explicit ExactSums(std::size_t count) : count_(count) {}

  [[nodiscard]] std::size_t count() const { return count_; }
  /// `value` must be finite.
  void add(std::size_t index, double value);
  /// Adds the sums of `other`, which has the same number of them.
  void merge(const ExactSums& other);
  /// The result depends on the exact sum alone and is within two units in the last place of it.
  [[nodiscard]] double value(std::size_t index) const;

 private:
  void widen(int first, int end);
  [[nodiscard]] std::int64_t* digits_of(std::size_t index) {
    return digits_.data() + index * width();
  }
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(end_ - first_); }

  std::size_t count_;
  int first_ = 0;  // digit d has the weight 2^(32 d); those in [first_, end_) are stored
  int end_ = 0;
  std::vector<std::int64_t> digits_;  // [count, end - first]
};

}  // namespace quantsearch
