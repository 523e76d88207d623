#include "finetune/solvers/moments.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "finetune/solvers/code_pairs.h"
#include "finetune/solvers/linear_algebra.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/sizes.h"

namespace quantsearch::reconstruction {

namespace {

// Columns summed in float before they are added to the double sums.
constexpr std::int64_t kRun = 512;
// Up to this K a worker processes a run of columns and all of H. For a larger K it processes a tile
// of H and all columns, so that buffers stay small.
constexpr std::int64_t kWholeMatrix = 384;
constexpr std::int64_t kTile = 192;
// Runs (of all groups) summed at once: as many as fit into 4 MiB, at least 16, independent of the
// number of threads.
constexpr std::int64_t kBufferValues = std::int64_t{1} << 20;
constexpr std::int64_t kLeastAtOnce = 16;

Matrix<const float> group_inputs(const LayerShape& shape, const Columns& columns,
                                 std::int64_t group) {
  return matrix(columns.inputs.data() + group * shape.columns * columns.count, shape.columns,
                columns.count);
}

Matrix<const float> group_targets(const LayerShape& shape, const Columns& columns,
                                  std::int64_t group) {
  return matrix(columns.targets.data() + group * shape.rows * columns.count, shape.rows,
                columns.count);
}

/// Add the lower triangle, or all, of a float buffer to the double sums.
void add_lower(Matrix<const float> from, Matrix<double> to) {
  for (std::int64_t row = 0; row < from.rows; ++row) {
    for (std::int64_t column = 0; column <= row; ++column)
      to.row(row)[column] += from.row(row)[column];
  }
}
void add_all(Matrix<const float> from, Matrix<double> to) {
  for (std::int64_t row = 0; row < from.rows; ++row) {
    for (std::int64_t column = 0; column < from.columns; ++column)
      to.row(row)[column] += from.row(row)[column];
  }
}

}  // namespace

MomentsAccumulator::MomentsAccumulator(const LayerShape& shape) : shape_(shape) {
  sums_.h.resize(to_size(shape.groups * shape.columns * shape.columns));
  sums_.c.resize(to_size(shape.weights()));
  sums_.input_mean.resize(to_size(shape.groups * shape.columns));
  sums_.output_mean.resize(to_size(shape.outputs()));
  sums_.energy.resize(to_size(shape.outputs()));
}

std::int64_t MomentsAccumulator::bytes(const LayerShape& shape) {
  return static_cast<std::int64_t>(sizeof(double)) *
         (shape.groups * shape.columns * (shape.columns + 1) + shape.weights() +
          2 * shape.outputs());
}

void MomentsAccumulator::add(const Columns& columns, ThreadPool& pool) {
  if (columns.inputs.size() != to_size(shape_.groups * shape_.columns * columns.count) ||
      columns.targets.size() != to_size(shape_.outputs() * columns.count)) {
    throw InternalError(fmt::format(
        "finetune: {} columns came with {} input and {} target values, expected {} and {}",
        columns.count, columns.inputs.size(), columns.targets.size(),
        shape_.groups * shape_.columns * columns.count, shape_.outputs() * columns.count));
  }
  if (columns.count == 0) return;
  add_sums(columns, pool);
  if (shape_.columns <= kWholeMatrix) {
    add_runs(columns, pool);
  } else {
    add_tiles(columns, pool);
  }
  sums_.count += columns.count;
}

/// Adds the sums of each input and output and the sums of squares of each output.
void MomentsAccumulator::add_sums(const Columns& columns, ThreadPool& pool) {
  constexpr std::int64_t kRowsAtOnce = 64;
  const std::int64_t inputs = shape_.groups * shape_.columns;
  const std::int64_t rows = inputs + shape_.outputs();
  pool.parallel_for((rows + kRowsAtOnce - 1) / kRowsAtOnce, [&](std::int64_t index, int) {
    const std::int64_t end = std::min(rows, (index + 1) * kRowsAtOnce);
    for (std::int64_t row = index * kRowsAtOnce; row < end; ++row) {
      const bool is_input = row < inputs;
      const std::int64_t at = is_input ? row : row - inputs;
      const FloatBuffer& values = is_input ? columns.inputs : columns.targets;
      const ValueSums sums =
          sum_up(std::span(values).subspan(to_size(at * columns.count), to_size(columns.count)));
      (is_input ? sums_.input_mean : sums_.output_mean)[to_size(at)] += sums.values;
      if (!is_input) sums_.energy[to_size(at)] += sums.squares;
    }
  });
}

/// Each worker computes H and C of one run of columns of one group; runs are added in their order.
void MomentsAccumulator::add_runs(const Columns& columns, ThreadPool& pool) {
  const std::int64_t k = shape_.columns;
  const std::int64_t r = shape_.rows;
  const std::int64_t runs = (columns.count + kRun - 1) / kRun;
  const std::int64_t buffer_size = k * (k + r);
  const std::int64_t at_once =
      std::max(kLeastAtOnce, kBufferValues / std::max<std::int64_t>(1, buffer_size));
  const std::int64_t wave = std::min(at_once, runs);
  const std::int64_t groups_at_once = std::clamp<std::int64_t>(at_once / wave, 1, shape_.groups);
  std::vector<float> buffers(to_size(groups_at_once * wave * buffer_size));
  for (std::int64_t first_group = 0; first_group < shape_.groups; first_group += groups_at_once) {
    const std::int64_t groups = std::min(groups_at_once, shape_.groups - first_group);
    for (std::int64_t first_run = 0; first_run < runs; first_run += wave) {
      const std::int64_t here = std::min(wave, runs - first_run);
      pool.parallel_for(groups * here, [&](std::int64_t index, int) {
        const std::int64_t group = first_group + index / here;
        const std::int64_t begin = (first_run + index % here) * kRun;
        const std::int64_t width = std::min(kRun, columns.count - begin);
        float* const buffer = buffers.data() + index * buffer_size;
        std::fill_n(buffer, buffer_size, 0.0F);
        const auto x = group_inputs(shape_, columns, group).block(0, begin, k, width);
        const auto y = group_targets(shape_, columns, group).block(0, begin, r, width);
        add_gram(x, matrix(buffer, k, k));
        add_product_transposed(y, x, matrix(buffer + k * k, r, k));
      });
      pool.parallel_for(groups, [&](std::int64_t index, int) {
        const std::int64_t group = first_group + index;
        for (std::int64_t run = 0; run < here; ++run) {
          const float* buffer = buffers.data() + (index * here + run) * buffer_size;
          add_lower(matrix(buffer, k, k), matrix(sums_.h.data() + group * k * k, k, k));
          add_all(matrix(buffer + k * k, r, k), matrix(sums_.c.data() + group * r * k, r, k));
        }
      });
    }
  }
}

/// Each worker computes one tile of H or of C for all columns.
void MomentsAccumulator::add_tiles(const Columns& columns, ThreadPool& pool) {
  const std::int64_t k = shape_.columns;
  const std::int64_t r = shape_.rows;
  const std::int64_t across = (k + kTile - 1) / kTile;
  const std::int64_t down = across + (r + kTile - 1) / kTile;  // tiles of H, then of C
  std::vector<std::vector<float>> buffers(to_size(pool.threads()));
  pool.parallel_for(shape_.groups * down * across, [&](std::int64_t index, int worker) {
    const std::int64_t group = index / (down * across);
    const std::int64_t tile_row = index / across % down;
    const std::int64_t tile_column = index % across;
    const bool is_c = tile_row >= across;
    if (!is_c && tile_column > tile_row) return;
    const std::int64_t first_row = (is_c ? tile_row - across : tile_row) * kTile;
    const std::int64_t first_column = tile_column * kTile;
    const std::int64_t rows = std::min(kTile, (is_c ? r : k) - first_row);
    const std::int64_t width = std::min(kTile, k - first_column);
    const auto x = group_inputs(shape_, columns, group);
    const auto left = is_c ? group_targets(shape_, columns, group) : x;
    const Matrix<double> sums =
        matrix(is_c ? sums_.c.data() + group * r * k : sums_.h.data() + group * k * k, is_c ? r : k,
               k)
            .block(first_row, first_column, rows, width);
    const bool is_diagonal = !is_c && tile_row == tile_column;
    std::vector<float>& buffer = buffers[to_size(worker)];
    buffer.resize(to_size(kTile * kTile));
    for (std::int64_t begin = 0; begin < columns.count; begin += kRun) {
      const std::int64_t run = std::min(kRun, columns.count - begin);
      std::fill_n(buffer.data(), rows * width, 0.0F);
      const Matrix<float> product = matrix(buffer.data(), rows, width);
      const auto right = x.block(first_column, begin, width, run);
      if (is_diagonal) {
        add_gram(right, product);
        add_lower(product, sums);
      } else {
        add_product_transposed(left.block(first_row, begin, rows, run), right, product);
        add_all(product, sums);
      }
    }
  });
}

void MomentsAccumulator::merge(const MomentsAccumulator& other) {
  const auto add = [](const std::vector<double>& from, std::vector<double>& to) {
    if (from.size() != to.size())
      throw InternalError("finetune: moments of different shapes were merged");
    std::ranges::transform(from, to, to.begin(), std::plus<>());
  };
  sums_.count += other.sums_.count;
  add(other.sums_.h, sums_.h);
  add(other.sums_.c, sums_.c);
  add(other.sums_.input_mean, sums_.input_mean);
  add(other.sums_.output_mean, sums_.output_mean);
  add(other.sums_.energy, sums_.energy);
}

Moments MomentsAccumulator::moments() const {
  Moments means = sums_;
  const double factor = means.count == 0 ? 0.0 : 1.0 / static_cast<double>(means.count);
  for (std::vector<double>* part :
       {&means.h, &means.c, &means.input_mean, &means.output_mean, &means.energy}) {
    for (double& value : *part) value *= factor;
  }
  const std::int64_t k = shape_.columns;
  for (std::int64_t group = 0; group < shape_.groups; ++group) {
    const Matrix<double> h = matrix(means.h.data() + group * k * k, k, k);
    for (std::int64_t row = 0; row < k; ++row) {
      for (std::int64_t column = row + 1; column < k; ++column)
        h.row(row)[column] = h.row(column)[row];
    }
  }
  return means;
}

Solution round_to_nearest(const LayerWeights& layer) {
  Solution solution{.codes = {}, .scales = layer.grid.scales, .bias = layer.bias};
  solution.codes.resize(layer.values.size());
  const std::int64_t k = layer.shape.columns;
  for (std::int64_t output = 0; output < layer.shape.outputs(); ++output) {
    const float scale = layer.grid.scales[to_size(output)];
    const std::int32_t zero_point = layer.grid.zero_points[to_size(output)];
    const auto low = static_cast<float>(layer.grid.limits.low - zero_point);
    const auto high = static_cast<float>(layer.grid.limits.high - zero_point);
    for (std::int64_t at = output * k; at < (output + 1) * k; ++at) {
      const float scaled = std::clamp(layer.values[to_size(at)] / scale, low, high);
      solution.codes[to_size(at)] = static_cast<std::int32_t>(std::nearbyint(scaled)) + zero_point;
    }
    move_to_safe_codes(pairs_of_group(layer, output / layer.shape.rows),
                       std::span(layer.values).subspan(to_size(output * k), to_size(k)), scale,
                       zero_point, layer.grid.limits,
                       std::span(solution.codes).subspan(to_size(output * k), to_size(k)));
  }
  return solution;
}

std::vector<float> dequantized(const LayerWeights& layer, const Solution& solution) {
  std::vector<float> values(solution.codes.size());
  const std::int64_t k = layer.shape.columns;
  for (std::int64_t output = 0; output < layer.shape.outputs(); ++output) {
    const std::int32_t zero_point = layer.grid.zero_points[to_size(output)];
    const float scale = solution.scales[to_size(output)];
    for (std::int64_t at = output * k; at < (output + 1) * k; ++at) {
      values[to_size(at)] = static_cast<float>(solution.codes[to_size(at)] - zero_point) * scale;
    }
  }
  return values;
}

std::vector<double> row_errors(const LayerWeights& layer, const Solution& solution,
                               const Moments& moments, ThreadPool& pool) {
  constexpr std::int64_t kRowsAtOnce = 16;
  const LayerShape& shape = layer.shape;
  const std::int64_t k = shape.columns;
  const std::vector<float> values = dequantized(layer, solution);
  const std::vector<double> q(values.begin(), values.end());
  std::vector<double> errors(to_size(shape.outputs()));
  const std::int64_t blocks = (shape.rows + kRowsAtOnce - 1) / kRowsAtOnce;
  pool.parallel_for(shape.groups * blocks, [&](std::int64_t index, int) {
    const std::int64_t group = index / blocks;
    const std::int64_t first = index % blocks * kRowsAtOnce;
    const std::int64_t rows = std::min(kRowsAtOnce, shape.rows - first);
    const std::int64_t output = group * shape.rows + first;
    const Matrix<const double> here = matrix(q.data() + output * k, rows, k);
    std::vector<double> products(to_size(rows * k));
    add_product(here, matrix(moments.h.data() + group * k * k, k, k),
                matrix(products.data(), rows, k));
    const double* const mean = moments.input_mean.data() + group * k;
    for (std::int64_t row = 0; row < rows; ++row) {
      const double* const c = moments.c.data() + (output + row) * k;
      const double bias = solution.bias.empty() ? 0.0 : solution.bias[to_size(output + row)];
      double error = moments.energy[to_size(output + row)];
      double mean_output = 0;
      for (std::int64_t column = 0; column < k; ++column) {
        const double weight = here.row(row)[column];
        error += weight * (products[to_size(row * k + column)] - 2 * c[column]);
        mean_output += weight * mean[column];
      }
      error += bias * (bias + 2 * (mean_output - moments.output_mean[to_size(output + row)]));
      errors[to_size(output + row)] = error;
    }
  });
  return errors;
}

double relative_error(const std::vector<double>& row_errors, const Moments& moments) {
  double error = 0;
  double energy = 0;
  for (const double value : row_errors) error += value;
  for (const double value : moments.energy) energy += value;
  return energy == 0 ? (error == 0 ? 0.0 : std::numeric_limits<double>::infinity())
                     : error / energy;
}

}  // namespace quantsearch::reconstruction
