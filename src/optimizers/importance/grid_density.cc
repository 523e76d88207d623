#include "optimizers/importance/grid_density.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "optimizers/axis.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kCells = 50;
constexpr double kPriorWeight = 1;
// 1.64 deviations, which contain nine tenths of a kernel's mass, are within the cell.
constexpr double kLeastWidth = 0.5 / 1.64;

double normal_cdf(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

/// Returns the number of values in each cell. The centres of the cells go from the first to the
/// last value, on a logarithmic scale where the dimension has one. A value midway between two
/// centres belongs to the lower cell.
std::vector<double> counts_of(const Axis& axis, std::int64_t cells,
                              std::span<const double> values) {
  const double low = axis.position(axis.first());
  const double width = (axis.position(axis.last()) - low) / static_cast<double>(cells - 1);
  std::vector<double> counts(static_cast<std::size_t>(cells), 0.0);
  for (const double value : values) {
    const double place = std::ceil((axis.position(value) - low) / width - 0.5);
    const double cell = std::clamp(place, 0.0, static_cast<double>(cells - 1));
    counts[static_cast<std::size_t>(cell)] += 1;
  }
  return counts;
}

/// Returns the first cell at which the cumulated count is at least `wanted`, or above it when
/// `more` is set.
std::size_t cell_reaching(std::span<const double> counts, double wanted, bool more) {
  double sum = 0;
  std::size_t last = 0;
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    if (counts[cell] == 0) continue;
    sum += counts[cell];
    last = cell;
    if (more ? sum > wanted : sum >= wanted) break;
  }
  return last;
}

/// Scott 1992: 1.059 min(interquartile range / 1.34, deviation) n^(-1/5), in cells.
double kernel_width(std::span<const double> counts) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  double mean = 0;
  for (std::size_t cell = 0; cell < counts.size(); ++cell)
    mean += static_cast<double>(cell) * counts[cell] / total;
  double squares = 0;
  for (std::size_t cell = 0; cell < counts.size(); ++cell)
    squares +=
        counts[cell] * (static_cast<double>(cell) - mean) * (static_cast<double>(cell) - mean);
  const double deviation = std::sqrt(squares / std::max(1.0, total - 1));
  const auto lower = static_cast<double>(cell_reaching(counts, std::floor(total / 4), false));
  const auto upper = static_cast<double>(cell_reaching(counts, std::floor(total * 3 / 4), true));
  const double width = 1.059 * std::min((upper - lower) / 1.34, deviation) * std::pow(total, -0.2);
  return std::max(width, kLeastWidth);
}

void add_kernel(std::vector<double>& density, double weight, double mean, double width) {
  const auto cells = static_cast<double>(density.size());
  const double within =
      normal_cdf((cells - 0.5 - mean) / width) - normal_cdf((-0.5 - mean) / width);
  for (std::size_t cell = 0; cell < density.size(); ++cell) {
    const double from = static_cast<double>(cell) - 0.5 - mean;
    const double mass = normal_cdf((from + 1) / width) - normal_cdf(from / width);
    density[cell] += weight * mass / within;
  }
}

std::vector<double> numeric_density(std::span<const double> counts) {
  const auto cells = static_cast<double>(counts.size());
  const double width = kernel_width(counts);
  const double total = std::accumulate(counts.begin(), counts.end(), kPriorWeight);
  std::vector<double> density(counts.size(), 0.0);
  for (std::size_t cell = 0; cell < counts.size(); ++cell)
    if (counts[cell] > 0)
      add_kernel(density, counts[cell] / total, static_cast<double>(cell), width);
  add_kernel(density, kPriorWeight / total, (cells - 1) / 2, cells);
  return density;
}

/// Returns the density of categories. The kernel of a category has the weight 1 for it, and
/// additionally 1 / (kernels + 1) for every category.
std::vector<double> name_density(std::span<const double> counts) {
  const auto names = static_cast<double>(counts.size());
  const auto kernels = static_cast<double>(
      std::ranges::count_if(counts, [](double count) { return count > 0; }) + 1);
  const double floor = kPriorWeight / kernels;
  const double row = 1 + names * floor;
  const double total = std::accumulate(counts.begin(), counts.end(), kPriorWeight);
  double common = kPriorWeight / total / names;
  for (const double count : counts) common += count / total * floor / row;
  std::vector<double> density;
  density.reserve(counts.size());
  for (const double count : counts) density.push_back(common + count / total / row);
  return density;
}

}  // namespace

std::int64_t grid_cells(const SearchDimension& dimension) {
  const Axis axis(dimension);
  if (axis.is_single()) return 1;
  if (std::holds_alternative<Categories>(dimension)) return axis.count();
  if (axis.step() == 0) return kCells;
  if (!axis.is_log()) return std::min(axis.count(), kCells);
  const double bits = std::ceil(std::log2(static_cast<double>(axis.count())));
  return std::min(static_cast<std::int64_t>(bits) + 1, kCells);
}

std::vector<double> grid_density(const SearchDimension& dimension, std::span<const double> values) {
  const Axis axis(dimension);
  const std::int64_t cells = grid_cells(dimension);
  if (cells == 1) return {1};
  const std::vector<double> counts = counts_of(axis, cells, values);
  return axis.is_categorical() ? name_density(counts) : numeric_density(counts);
}

}  // namespace quantsearch
