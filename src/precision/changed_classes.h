#pragma once

// How often the best class of an output (argmax over its last axis) differs from the float model's.

#include <atomic>

#include "quantsearch/precision.h"

namespace quantsearch {

struct ChangedClasses {
  double share = 0;  // of all positions
  // Of those whose class is not the float model's most frequent one; 0 without any.
  double rare_share = 0;
};

/// The float model's best classes over the reference's data. Ties: the lower index.
class ReferenceClasses {
 public:
  /// Of `output`, or of all outputs together.
  ReferenceClasses(const Reference& reference, const std::optional<std::string>& output);

  [[nodiscard]] std::int64_t positions() const { return positions_; }
  /// Positions whose class is not the most frequent one.
  [[nodiscard]] std::int64_t rare_positions() const { return rare_positions_; }

 private:
  friend class ClassCounter;
  std::vector<std::string> outputs_;  // those that are compared
  std::int64_t samples_ = 0;
  std::vector<std::vector<int>> classes_;  // [samples * outputs]
  int most_frequent_ = 0;
  std::int64_t positions_ = 0;
  std::int64_t rare_positions_ = 0;
};

/// Counts the changes of one candidate, run by run. Thread-safe.
class ClassCounter {
 public:
  explicit ClassCounter(const ReferenceClasses& classes) : classes_(classes) {}

  /// An output with another number of classes than the reference's has changed in all of them.
  void add(std::int64_t first_sample, std::int64_t count, const Batch& outputs);
  /// Shares of all positions of the data, those not seen yet counted as unchanged.
  [[nodiscard]] ChangedClasses result() const;

 private:
  const ReferenceClasses& classes_;
  std::atomic<std::int64_t> changed_ = 0;
  std::atomic<std::int64_t> changed_rare_ = 0;
};

}  // namespace quantsearch
