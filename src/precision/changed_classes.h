#pragma once

// Counts how often the best class of an output (argmax over its last axis) differs from the float
// model's.

#include <atomic>

#include "quantsearch/precision.h"

namespace quantsearch {

struct ChangedClasses {
  double share = 0;  // of all positions
  // Of the positions whose class is not the float model's most frequent one; 0 if there are none.
  double rare_share = 0;
};

/// The float model's best classes for the reference's data; the lower index wins ties.
class ReferenceClasses {
 public:
  /// Computes the classes of `output`, or of all outputs together if it is absent.
  ReferenceClasses(const Reference& reference, const std::optional<std::string>& output);

  [[nodiscard]] std::int64_t positions() const { return positions_; }
  /// Positions whose class is not the most frequent one.
  [[nodiscard]] std::int64_t rare_positions() const { return rare_positions_; }

 private:
  friend class ClassCounter;
  std::vector<std::string> outputs_;  // the outputs that are compared
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

  /// Adds samples [first_sample, first_sample + count). An output with another number of positions
  /// than the reference's counts as changed in all of them.
  void add(std::int64_t first_sample, std::int64_t count, const Batch& outputs);
  /// The shares of all positions of the data; positions not added yet count as unchanged.
  [[nodiscard]] ChangedClasses result() const;

 private:
  const ReferenceClasses& classes_;
  std::atomic<std::int64_t> changed_ = 0;
  std::atomic<std::int64_t> changed_rare_ = 0;
};

}  // namespace quantsearch
