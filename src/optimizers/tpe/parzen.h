#pragma once

// A density over a domain that is estimated from observed points: a weighted sum of kernels, one
// for each point and one for the prior. Each kernel is a product over the dimensions (multivariate
// Parzen estimator; Watanabe 2023, arXiv 2304.11127, equations 7-12).
//
// For real numbers and grids with positions x on an axis [L, H], the factor is a normal whose mean
// is the observation, truncated to [L, H]. Its width is the larger distance to a neighbour (at the
// ends the distance to the only one), at least (H - L) / min(100, n + 2) ("magic clip") and at most
// H - L. On a grid the factor is the mass of the value's cell. For categories it is 1 for the
// observed one plus 1 / (n + 1) for each, normalised. The prior is a normal around the middle that
// is as wide as the axis, and uniform over categories.
//
// When a dimension has no effect in a point, its factor is left out, which gives the marginal
// density. A kernel whose observation has no value in a dimension uses the prior's factor.

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "optimizers/axis.h"
#include "optimizers/tpe/history.h"
#include "quantsearch/base/random.h"

namespace quantsearch {

/// Caches the values of kernels from one estimate to the next, because most kernels stay the same.
class ParzenCache {
 public:
  explicit ParzenCache(const std::vector<Axis>& axes);

  /// Returns ln of the factor that normalises the kernel of `row` to a density on its axis.
  double log_norm(std::size_t dimension, std::size_t row, double mean, double width);
  /// Returns ln of the masses of all values of a grid under a kernel, NaN where not yet computed;
  /// null for grids with many values. The pointer is valid until forget_if_large().
  double* masses(std::size_t dimension, double mean, double width);
  void forget_if_large();

 private:
  struct Normalised {
    double mean = 0;
    double width = 0;
    double log_norm = 0;
  };
  struct Shape {
    double mean = 0;
    double width = 0;
    bool operator==(const Shape&) const = default;
  };
  struct HashShape {
    std::size_t operator()(const Shape& shape) const noexcept;
  };

  const std::vector<Axis>& axes_;
  std::vector<std::vector<Normalised>> normalised_;  // [dimension][row]
  std::vector<std::unordered_map<Shape, std::vector<double>, HashShape>> masses_;
  std::size_t cells_ = 0;
};

struct Bandwidths {
  double most_kernels = 100;      // the least width of a kernel is the axis divided by this
  double clip_exponent = 1;       // of n + 2, for real numbers
  double grid_clip_exponent = 1;  // of n + 2, for grids
};

/// Returns the weight of each of `count` observations, oldest first: 1 for the last 25, and a
/// linear ramp that starts at 1 / count for the earlier ones (Bergstra, Yamins & Cox 2013,
/// hyperopt).
[[nodiscard]] std::vector<double> age_weights(std::size_t count);

class ParzenMixture {
 public:
  /// `rows` of the history are the observations; each has a weight, and the weight of the prior is
  /// 1. Axes and cache must outlive this object; the history is not kept.
  ParzenMixture(const std::vector<Axis>& axes, const History& history,
                std::span<const std::uint32_t> rows, std::span<const double> weights,
                ParzenCache& cache, const Bandwidths& bandwidths = {});

  /// Draws a point; all of its dimensions come from the same kernel.
  [[nodiscard]] Coordinates draw(RandomStream& random) const;
  /// Returns ln of the density of a point in the dimensions that have an effect in it.
  [[nodiscard]] double log_density(const Coordinates& point) const;

  /// The same for one dimension alone, from the prior and the kernels with an observation in it.
  [[nodiscard]] double draw_marginal(std::size_t dimension, RandomStream& random) const;
  [[nodiscard]] double log_marginal(std::size_t dimension, double coordinate) const;

  /// Kernels are in the order of rows, the prior last.
  [[nodiscard]] double weight(std::size_t kernel) const { return weights_[kernel]; }
  [[nodiscard]] double width(std::size_t dimension, std::size_t kernel) const {
    return dimensions_[dimension].widths[kernel];
  }

 private:
  struct Kernels {
    std::vector<double> means;
    std::vector<double> widths;     // unused for categories
    std::vector<double> scales;     // for real numbers: 1 / (sqrt(2) width)
    std::vector<double> log_norms;  // for real numbers
    std::vector<double*> masses;    // for grids
    std::vector<char> observed;     // false: the prior's factor is used
    // For categories: probability of the observed one, apart from the uniform part.
    double observed_share = 1;
    double log_hit = 0;
    double log_miss = 0;
  };

  void set_up_numbers(std::size_t dimension, const History& history,
                      std::span<const std::uint32_t> kernel_of_row,
                      std::span<const std::uint32_t> rows, const Bandwidths& bandwidths);
  void set_up_names(std::size_t dimension);
  void add_log_factors(std::size_t dimension, double coordinate, std::vector<double>& sums) const;
  void add_log_masses(std::size_t dimension, double coordinate, std::vector<double>& sums) const;
  [[nodiscard]] double draw_from(std::size_t dimension, std::size_t kernel,
                                 RandomStream& random) const;
  [[nodiscard]] std::size_t draw_kernel(RandomStream& random) const;

  const std::vector<Axis>& axes_;
  ParzenCache& cache_;
  std::vector<Kernels> dimensions_;
  std::vector<double> weights_;  // sum 1
  std::vector<double> log_weights_;
};

}  // namespace quantsearch
