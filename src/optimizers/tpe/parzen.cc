#include "optimizers/tpe/parzen.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "optimizers/tpe/normal_mass.h"

namespace quantsearch {

namespace {

constexpr std::uint32_t kNoKernel = std::numeric_limits<std::uint32_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// The masses of grids with more values are not cached.
constexpr std::int64_t kMostCells = 1024;
constexpr std::size_t kMostCachedCells = 2'000'000;  // 16 MB

/// exp(-38) is below the last digit of 1, so terms that are smaller than the largest by this much
/// add nothing.
constexpr double kNegligible = -38;

double log_sum_exp(const std::vector<double>& terms) {
  const double largest = *std::ranges::max_element(terms);
  if (largest == -kInfinity) return -kInfinity;
  double sum = 0;
  for (const double term : terms) {
    if (term - largest > kNegligible) sum += std::exp(term - largest);
  }
  return largest + std::log(sum);
}

/// Returns ln of the mass of a grid value's cell under the normal truncated to the axis.
double log_cell_mass(const Axis& axis, double coordinate, double mean, double width) {
  const double half = axis.step() / 2;
  const double below = axis.position(coordinate - half);
  const double above = axis.position(coordinate + half);
  return log_normal_mass((below - mean) / width, (above - mean) / width) -
         log_normal_mass((axis.low() - mean) / width, (axis.high() - mean) / width);
}

std::size_t cell_of(const Axis& axis, double coordinate) {
  return static_cast<std::size_t>(std::llround((coordinate - axis.first()) / axis.step()));
}

bool is_real(const Axis& axis) { return axis.step() == 0; }

}  // namespace

std::size_t ParzenCache::HashShape::operator()(const Shape& shape) const noexcept {
  const auto mean = std::bit_cast<std::uint64_t>(shape.mean) * 0x9e3779b97f4a7c15;
  const auto width = std::bit_cast<std::uint64_t>(shape.width) * 0xbf58476d1ce4e5b9;
  return mean ^ (width >> 17) ^ width;
}

ParzenCache::ParzenCache(const std::vector<Axis>& axes)
    : axes_(axes), normalised_(axes.size()), masses_(axes.size()) {}

double ParzenCache::log_norm(std::size_t dimension, std::size_t row, double mean, double width) {
  std::vector<Normalised>& rows = normalised_[dimension];
  if (row >= rows.size()) rows.resize(row + 1);
  Normalised& known = rows[row];
  if (known.mean != mean || known.width != width) {
    const Axis& axis = axes_[dimension];
    const double mass = log_normal_mass((axis.low() - mean) / width, (axis.high() - mean) / width);
    known = {mean, width, -std::log(width) - 0.5 * std::log(2 * std::numbers::pi) - mass};
  }
  return known.log_norm;
}

double* ParzenCache::masses(std::size_t dimension, double mean, double width) {
  const std::int64_t count = axes_[dimension].count();
  if (count > kMostCells) return nullptr;
  std::vector<double>& cells = masses_[dimension][{mean, width}];
  if (cells.empty()) {
    cells.assign(static_cast<std::size_t>(count), kInactive);
    cells_ += cells.size();
  }
  return cells.data();
}

void ParzenCache::forget_if_large() {
  if (cells_ <= kMostCachedCells) return;
  for (auto& shapes : masses_) shapes.clear();
  cells_ = 0;
}

std::vector<double> age_weights(std::size_t count) {
  constexpr std::size_t kYoung = 25;
  std::vector<double> weights(count, 1);
  if (count <= kYoung) return weights;
  const auto old = static_cast<double>(count - kYoung);
  const double first = 1 / static_cast<double>(count);
  for (std::size_t i = 0; i < count - kYoung; ++i) {
    const double share = old > 1 ? static_cast<double>(i) / (old - 1) : 0;
    weights[i] = first + (1 - first) * share;
  }
  return weights;
}

ParzenMixture::ParzenMixture(const std::vector<Axis>& axes, const History& history,
                             std::span<const std::uint32_t> rows, std::span<const double> weights,
                             ParzenCache& cache, const Bandwidths& bandwidths)
    : axes_(axes),
      cache_(cache),
      dimensions_(axes.size()),
      weights_(weights.begin(), weights.end()) {
  weights_.push_back(1);
  const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  for (double& weight : weights_) {
    weight /= sum;
    log_weights_.push_back(std::log(weight));
  }
  std::vector<std::uint32_t> kernel_of_row(history.size(), kNoKernel);
  for (std::uint32_t kernel = 0; kernel < rows.size(); ++kernel)
    kernel_of_row[rows[kernel]] = kernel;
  for (std::size_t dimension = 0; dimension < axes.size(); ++dimension) {
    const Axis& axis = axes[dimension];
    if (axis.is_single()) continue;
    Kernels& kernels = dimensions_[dimension];
    const std::vector<double>& positions = history.positions(dimension);
    kernels.means.assign(weights_.size(), 0.5 * (axis.low() + axis.high()));
    kernels.observed.assign(weights_.size(), 0);
    for (std::size_t kernel = 0; kernel < rows.size(); ++kernel) {
      if (!is_active(positions[rows[kernel]])) continue;
      kernels.means[kernel] = positions[rows[kernel]];
      kernels.observed[kernel] = 1;
    }
    if (axis.is_categorical())
      set_up_names(dimension);
    else
      set_up_numbers(dimension, history, kernel_of_row, rows, bandwidths);
  }
}

void ParzenMixture::set_up_names(std::size_t dimension) {
  Kernels& kernels = dimensions_[dimension];
  const auto observed = static_cast<double>(std::ranges::count(kernels.observed, 1));
  const double spread = 1 / (observed + 1);
  const double all = 1 + static_cast<double>(axes_[dimension].count()) * spread;
  kernels.observed_share = 1 / all;
  kernels.log_hit = std::log((1 + spread) / all);
  kernels.log_miss = std::log(spread / all);
}

void ParzenMixture::set_up_numbers(std::size_t dimension, const History& history,
                                   std::span<const std::uint32_t> kernel_of_row,
                                   std::span<const std::uint32_t> rows,
                                   const Bandwidths& bandwidths) {
  const Axis& axis = axes_[dimension];
  Kernels& kernels = dimensions_[dimension];
  const std::vector<double>& positions = history.positions(dimension);
  std::vector<std::uint32_t> sorted;
  sorted.reserve(rows.size());
  for (const std::uint32_t row : history.order(dimension)) {
    if (kernel_of_row[row] != kNoKernel) sorted.push_back(row);
  }

  kernels.widths.assign(weights_.size(), axis.width());
  kernels.log_norms.reserve(is_real(axis) ? weights_.size() : 0);
  kernels.scales.reserve(is_real(axis) ? weights_.size() : 0);
  kernels.masses.reserve(is_real(axis) ? 0 : weights_.size());
  const auto observed = static_cast<double>(sorted.size());
  const double exponent = is_real(axis) ? bandwidths.clip_exponent : bandwidths.grid_clip_exponent;
  const double narrowest =
      axis.width() / std::min(bandwidths.most_kernels, std::pow(observed + 2, exponent));
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double here = positions[sorted[i]];
    const bool first = i == 0;
    const bool last = i + 1 == sorted.size();
    const double left = here - (first ? axis.low() : positions[sorted[i - 1]]);
    const double right = (last ? axis.high() : positions[sorted[i + 1]]) - here;
    double width = std::max(left, right);
    if (sorted.size() > 1 && first) width = right;
    if (sorted.size() > 1 && last) width = left;
    kernels.widths[kernel_of_row[sorted[i]]] = std::clamp(width, narrowest, axis.width());
  }

  for (std::size_t kernel = 0; kernel < weights_.size(); ++kernel) {
    const double mean = kernels.means[kernel];
    const double width = kernels.widths[kernel];
    // Kernels without an observation share row 0 of the cache with the prior.
    const std::size_t row = kernels.observed[kernel] ? rows[kernel] + std::size_t{1} : 0;
    if (is_real(axis)) {
      kernels.log_norms.push_back(cache_.log_norm(dimension, row, mean, width));
      kernels.scales.push_back(1 / (std::numbers::sqrt2 * width));
    } else {
      kernels.masses.push_back(cache_.masses(dimension, mean, width));
    }
  }
}

Coordinates ParzenMixture::draw(RandomStream& random) const {
  const std::size_t kernel = draw_kernel(random);
  Coordinates point;
  point.reserve(axes_.size());
  for (std::size_t dimension = 0; dimension < axes_.size(); ++dimension)
    point.push_back(draw_from(dimension, kernel, random));
  return point;
}

double ParzenMixture::draw_marginal(std::size_t dimension, RandomStream& random) const {
  if (axes_[dimension].is_single()) return axes_[dimension].first();
  std::size_t kernel = draw_kernel(random);
  while (!dimensions_[dimension].observed[kernel] && kernel + 1 != weights_.size())
    kernel = draw_kernel(random);
  return draw_from(dimension, kernel, random);
}

std::size_t ParzenMixture::draw_kernel(RandomStream& random) const {
  double rest = random.uniform();
  for (std::size_t kernel = 0; kernel + 1 < weights_.size(); ++kernel) {
    rest -= weights_[kernel];
    if (rest < 0) return kernel;
  }
  return weights_.size() - 1;
}

double ParzenMixture::draw_from(std::size_t dimension, std::size_t kernel,
                                RandomStream& random) const {
  const Axis& axis = axes_[dimension];
  const Kernels& kernels = dimensions_[dimension];
  if (axis.is_single()) return axis.first();
  if (axis.is_categorical()) {
    if (kernels.observed[kernel] && random.uniform() < kernels.observed_share)
      return kernels.means[kernel];
    return static_cast<double>(random.below(static_cast<std::uint64_t>(axis.count())));
  }
  // The mean is on the axis and no kernel is wider than the axis, so at least a third of the draws
  // are on it.
  for (;;) {
    const double position = kernels.means[kernel] + kernels.widths[kernel] * random.normal();
    if (position >= axis.low() && position <= axis.high()) return axis.coordinate(position);
  }
}

double ParzenMixture::log_density(const Coordinates& point) const {
  std::vector<double> sums = log_weights_;
  for (std::size_t dimension = 0; dimension < axes_.size(); ++dimension) {
    if (axes_[dimension].is_single() || !is_active(point[dimension])) continue;
    add_log_factors(dimension, point[dimension], sums);
  }
  return log_sum_exp(sums);
}

double ParzenMixture::log_marginal(std::size_t dimension, double coordinate) const {
  if (axes_[dimension].is_single()) return 0;
  std::vector<double> sums = log_weights_;
  add_log_factors(dimension, coordinate, sums);
  double weight = 0;
  for (std::size_t kernel = 0; kernel < sums.size(); ++kernel) {
    if (dimensions_[dimension].observed[kernel] || kernel + 1 == sums.size())
      weight += weights_[kernel];
    else
      sums[kernel] = -kInfinity;
  }
  return log_sum_exp(sums) - std::log(weight);
}

void ParzenMixture::add_log_factors(std::size_t dimension, double coordinate,
                                    std::vector<double>& sums) const {
  const Axis& axis = axes_[dimension];
  const Kernels& kernels = dimensions_[dimension];
  if (axis.is_categorical()) {
    const double anything = -std::log(static_cast<double>(axis.count()));
    for (std::size_t kernel = 0; kernel < sums.size(); ++kernel) {
      const double seen = kernels.means[kernel] == coordinate ? kernels.log_hit : kernels.log_miss;
      sums[kernel] += kernels.observed[kernel] ? seen : anything;
    }
    return;
  }
  if (!is_real(axis)) return add_log_masses(dimension, coordinate, sums);
  const double position = axis.position(coordinate);
  const double* const means = kernels.means.data();
  const double* const scales = kernels.scales.data();
  const double* const log_norms = kernels.log_norms.data();
  double* const sum = sums.data();
  for (std::size_t kernel = 0; kernel < sums.size(); ++kernel) {
    const double distance = (position - means[kernel]) * scales[kernel];
    sum[kernel] += log_norms[kernel] - distance * distance;
  }
}

void ParzenMixture::add_log_masses(std::size_t dimension, double coordinate,
                                   std::vector<double>& sums) const {
  const Axis& axis = axes_[dimension];
  const Kernels& kernels = dimensions_[dimension];
  const std::size_t cell = cell_of(axis, coordinate);
  for (std::size_t kernel = 0; kernel < sums.size(); ++kernel) {
    double* const masses = kernels.masses[kernel];
    if (masses != nullptr && is_active(masses[cell])) {
      sums[kernel] += masses[cell];
      continue;
    }
    const double mass =
        log_cell_mass(axis, coordinate, kernels.means[kernel], kernels.widths[kernel]);
    if (masses != nullptr) masses[cell] = mass;
    sums[kernel] += mass;
  }
}

}  // namespace quantsearch
