#pragma once

// The values of a tensor as a density that is derived from its histogram. Inside a bin the values
// count as uniformly distributed; exact zeros are left out, because every scale represents 0
// without error; the outermost bins end at the observed extremes. Positions are in bin widths, so
// that sums of squares neither overflow nor lose bits.

#include <vector>

#include "quantsearch/calibrate.h"

namespace quantsearch {

class Density {
 public:
  /// Number of values, their sum and the sum of their squares.
  struct Moments {
    double count = 0;
    double first = 0;
    double second = 0;
    Moments& operator+=(const Moments& other);
    friend Moments operator-(const Moments& left, const Moments& right);
    /// Sum of (x - level)^2.
    [[nodiscard]] double squared_distance(double level) const;
  };

  explicit Density(const TensorStatistics& statistics);

  [[nodiscard]] double bin_width() const { return bin_width_; }
  /// Extremes of the non-zero values; equal when there are none.
  [[nodiscard]] double low() const { return edges_.front(); }
  [[nodiscard]] double high() const { return edges_.back(); }
  [[nodiscard]] const Moments& total() const { return below_.back(); }
  /// Moments of the non-zero values below `position`.
  [[nodiscard]] Moments below(double position) const;
  /// Number of all values, zeros included.
  [[nodiscard]] double count() const { return count_; }

 private:
  double bin_width_ = 1;
  double count_ = 0;
  double origin_ = 0;           // position of the first bin
  std::vector<double> counts_;  // [bins between the first and the last that is not empty]
  std::vector<double> edges_;   // [bins + 1]
  std::vector<Moments> below_;  // [bins + 1]; moments of the values below each edge
};

}  // namespace quantsearch
