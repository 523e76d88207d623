#pragma once

// Sums of doubles without rounding, so that their order does not matter (Neal 2015,
// arXiv:1505.05571, the "small superaccumulator"): fixed-point numbers in base 2^32 whose digits
// are signed 64-bit integers, carried only when read.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quantsearch {

/// A fixed number of sums that share one window of digits, widened as values need it. Up to 2^31
/// additions each.
class ExactSums {
 public:
  explicit ExactSums(std::size_t count) : count_(count) {}

  [[nodiscard]] std::size_t count() const { return count_; }
  /// `value` is finite.
  void add(std::size_t index, double value);
  /// Of an equal number of sums.
  void merge(const ExactSums& other);
  /// Depends on the exact sum alone; within two units in the last place of it.
  [[nodiscard]] double value(std::size_t index) const;

 private:
  void widen(int first, int end);
  [[nodiscard]] std::int64_t* digits_of(std::size_t index) {
    return digits_.data() + index * width();
  }
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(end_ - first_); }

  std::size_t count_;
  int first_ = 0;  // digit d weighs 2^(32 d); those in [first_, end_) are held
  int end_ = 0;
  std::vector<std::int64_t> digits_;  // [count, end - first]
};

}  // namespace quantsearch
