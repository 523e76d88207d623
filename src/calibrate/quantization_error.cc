// The real line is divided into cells, one for each integer: a cell holds the values nearest to its
// level q_l = (l - z) s. The first and the last cell are unbounded (clipping). With M_n(I) = sum of
// x^n over the values in I, which takes two look-ups in cumulative sums,
//
//   sum (x - x')^2 = sum_l M2(I_l) - 2 q_l M1(I_l) + q_l^2 M0(I_l)
//   sum |x - x'|   = sum_l q_l M0(I_l^-) - M1(I_l^-) + M1(I_l^+) - q_l M0(I_l^+)
//
// where I_l^- and I_l^+ are the parts below and above q_l. A candidate costs O(levels), however
// many values there were. Where a level is much narrower than a bin, as with 16 bits, the density
// is uniform across a cell and the rounding part is s^2/12 (or s/4) for each value.

#include "calibrate/quantization_error.h"

#include <algorithm>
#include <cmath>

namespace quantsearch {

namespace {

using Moments = Density::Moments;

/// A level below this many bin widths counts as narrow.
constexpr double kNarrowStep = 0.25;

/// Levels; the step is in bin widths.
struct Levels {
  double step = 1;
  double first = 0;  // q_low - z
  double last = 0;   // q_high - z
};

Levels levels_of(const Density& density, const ScaleZeroPoint& params,
                 const IntegerLimits& limits) {
  return {.step = static_cast<double>(params.scale) / density.bin_width(),
          .first = static_cast<double>(limits.low - params.zero_point),
          .last = static_cast<double>(limits.high - params.zero_point)};
}

double squared_cell(const Density&, const Moments& below_cell, const Moments& below_next,
                    double level) {
  return (below_next - below_cell).squared_distance(level);
}

double absolute_cell(const Density& density, const Moments& below_cell, const Moments& below_next,
                     double level) {
  const Moments below_level = density.below(level);
  const Moments left = below_level - below_cell;
  const Moments right = below_next - below_level;
  return level * left.count - left.first + right.first - level * right.count;
}

/// Sum over the cells that contain values; `cell` returns the error of one.
template <typename Cell>
double sum_over_cells(const Density& density, const Levels& levels, const Cell& cell) {
  const double first =
      std::clamp(std::floor(density.low() / levels.step), levels.first, levels.last);
  const double last =
      std::clamp(std::ceil(density.high() / levels.step), levels.first, levels.last);
  double error = 0;
  Moments below_cell;
  for (double level = first; level <= last; ++level) {
    const Moments below_next =
        level == last ? density.total() : density.below((level + 0.5) * levels.step);
    error += cell(density, below_cell, below_next, level * levels.step);
    below_cell = below_next;
  }
  return error;
}

/// Sum over the two unbounded cells, each by `cell`, and `rounding_error` for every value between
/// them.
template <typename Cell>
double sum_of_narrow_cells(const Density& density, const Levels& levels, double rounding_error,
                           const Cell& cell) {
  const Moments below_first = density.below((levels.first - 0.5) * levels.step);
  const Moments below_end = density.below((levels.last + 0.5) * levels.step);
  return cell(density, Moments{}, below_first, levels.first * levels.step) +
         (below_end.count - below_first.count) * rounding_error +
         cell(density, below_end, density.total(), levels.last * levels.step);
}

}  // namespace

double mean_squared_error(const Density& density, const ScaleZeroPoint& params,
                          const IntegerLimits& limits) {
  if (density.count() == 0) return 0;
  const Levels levels = levels_of(density, params, limits);
  const double sum =
      levels.step < kNarrowStep
          ? sum_of_narrow_cells(density, levels, levels.step * levels.step / 12, squared_cell)
          : sum_over_cells(density, levels, squared_cell);
  return std::max(sum, 0.0) / density.count() * density.bin_width() * density.bin_width();
}

double mean_absolute_error(const Density& density, const ScaleZeroPoint& params,
                           const IntegerLimits& limits) {
  if (density.count() == 0) return 0;
  const Levels levels = levels_of(density, params, limits);
  const double sum = levels.step < kNarrowStep
                         ? sum_of_narrow_cells(density, levels, levels.step / 4, absolute_cell)
                         : sum_over_cells(density, levels, absolute_cell);
  return std::max(sum, 0.0) / density.count() * density.bin_width();
}

}  // namespace quantsearch
