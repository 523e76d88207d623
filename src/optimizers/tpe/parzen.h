#pragma once

// A density over a domain that follows observed points: a weighted sum of kernels, one for each
// point and one for the prior, each a product over the dimensions (multivariate Parzen estimator;
// Watanabe 2023, arXiv 2304.11127, equations 7-12).
//
// Real numbers and grids, positions x on an axis [L, H]: a normal with mean mu, the observation,
// cut at L and H. Its width is the larger distance to a neighbour, at the ends the distance to the
// only one, at least (H - L) / min(100, n + 2) ("magic clip") and at most H - L. On a grid it is
// the mass of the value's cell. Names: 1 for the observed one and 1 / (n + 1) for each, normalised.
// The prior: a normal around the middle, as wide as the axis; every name alike.
//
// A dimension that has no effect: a point lacks its factor (the marginal density), a kernel without
// an observation in it has the prior's.

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "optimizers/axis.h"
#include "optimizers/tpe/history.h"
#include "quantsearch/base/random.h"

namespace quantsearch {

/// What stays the same from one estimate to the next: most kernels do.
class ParzenCache {
 public:
  explicit ParzenCache(const std::vector<Axis>& axes);

  /// ln of the factor that makes the kernel of `row` a density on its axis.
  double log_norm(std::size_t dimension, std::size_t row, double mean, double width);
  /// ln of the masses of all values of a grid under a kernel, NaN where not yet computed; null for
  /// grids with many values. Valid until forget_if_large().
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
  double most_kernels = 100;      // no kernel is narrower than the axis over this
  double clip_exponent = 1;       // of n + 2, real numbers
  double grid_clip_exponent = 1;  // grids
};

/// Weight of each of `count` observations, oldest first: 1 for the last 25, before them a ramp from
/// 1 / count (Bergstra, Yamins & Cox 2013, hyperopt).
[[nodiscard]] std::vector<double> age_weights(std::size_t count);

class ParzenMixture {
 public:
  /// `rows` of the history are the observations, with a weight each; the prior's weight is 1. Axes
  /// and cache outlive this, history is not kept.
  ParzenMixture(const std::vector<Axis>& axes, const History& history,
                std::span<const std::uint32_t> rows, std::span<const double> weights,
                ParzenCache& cache, const Bandwidths& bandwidths = {});

  /// A point from all dimensions of one kernel; single values as they are.
  [[nodiscard]] Coordinates draw(RandomStream& random) const;
  /// ln of the density of a point, of the dimensions that have an effect in it.
  [[nodiscard]] double log_density(const Coordinates& point) const;

  /// The same of one dimension alone, from the kernels observed in it.
  [[nodiscard]] double draw_marginal(std::size_t dimension, RandomStream& random) const;
  [[nodiscard]] double log_marginal(std::size_t dimension, double coordinate) const;

  /// Of kernel k in the order of rows, the prior last.
  [[nodiscard]] double weight(std::size_t kernel) const { return weights_[kernel]; }
  [[nodiscard]] double width(std::size_t dimension, std::size_t kernel) const {
    return dimensions_[dimension].widths[kernel];
  }

 private:
  struct Kernels {
    std::vector<double> means;
    std::vector<double> widths;     // of names: unused
    std::vector<double> scales;     // real numbers: 1 / (sqrt(2) width)
    std::vector<double> log_norms;  // real numbers
    std::vector<double*> masses;    // grids
    std::vector<char> observed;     // false: the prior's factor
    double observed_share = 1;      // names: probability of the observation before the uniform rest
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
