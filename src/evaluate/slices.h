#pragma once

// Slices of an output along the axis whose slices differ most in scale, which worst_slice compares.
// docs/metrics.md derives the rules.

#include <cstdint>
#include <span>
#include <vector>

#include "evaluate/sample.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// Energies of the float model's output by axis and index, added over samples in the order of the
/// calls.
class SliceSurvey {
 public:
  /// `declared` is the output as the model declares it: an axis of open size holds positions, not
  /// kinds of values.
  explicit SliceSurvey(const ValueInfo& declared) : declared_(&declared) {}

  void add(const Sample& sample);
  void merge(const SliceSurvey& other);
  [[nodiscard]] OutputSlices slices() const;

 private:
  struct Axis {
    std::int64_t length = 0;       // in all samples so far; 0: the axis is not used
    std::vector<double> energies;  // [length]
  };
  void begin(const Shape& shape);
  [[nodiscard]] bool is_open(std::size_t axis) const;
  [[nodiscard]] bool may_hold_kinds(std::size_t axis) const;

  const ValueInfo* declared_;
  bool begun_ = false;
  std::vector<Axis> axes_;
  std::int64_t values_ = 0;
  double energy_ = 0;
};

/// Adds the energy of the difference to `noise`, one number for each slice. Both samples have the
/// same shape.
void add_slice_noise(const OutputSlices& slices, const Sample& reference, const Sample& candidate,
                     std::span<double> noise);

/// The largest noise over signal of the slices that have a signal; 0 when none has.
[[nodiscard]] double worst_relative_noise(std::span<const double> signal,
                                          std::span<const double> noise);

}  // namespace quantsearch
