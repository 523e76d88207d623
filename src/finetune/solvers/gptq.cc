// Frantar et al. 2023, "GPTQ" (arXiv 2210.17323), as nearest plane on the refitted target; see
// docs/algorithms/gptq.md. Differences from the paper: the target is W* of asymmetric
// reconstruction (float output, quantized input) instead of W, the bias is optimal for the codes,
// scales are chosen by the error that the solver reaches with them, and rows for which nearest
// rounding has the smaller error keep it.

#include "finetune/solvers/gptq.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "finetune/solvers/bias_correction.h"
#include "finetune/solvers/lattice.h"
#include "finetune/solvers/moments.h"
#include "finetune/solvers/nearest_plane.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/sizes.h"

namespace quantsearch::reconstruction {

namespace {

// Rows x scales handled by one call: they fill whole vectors, and their state fits into the caches.
constexpr std::int64_t kTasksAtOnce = 64;
// Largest number of inputs for which the wide beam is used, in depthwise layers and in other
// layers, which have more rows.
constexpr std::int64_t kSmallDepthwise = 32;
constexpr std::int64_t kSmall = 16;
constexpr int kScaleBeam = 8;  // beam of those layers while scales are compared

void require_valid(const GptqOptions& options) {
  if (options.ridge && !(*options.ridge >= 0 && std::isfinite(*options.ridge))) {
    throw InvalidInput(fmt::format(
        "finetune: a ridge of {}, expected a finite number that is not negative", *options.ridge));
  }
  for (const int beam : {options.beam, options.small_beam}) {
    if (beam < 1 || beam > 1024)
      throw InvalidInput(fmt::format("finetune: a beam of {}, expected 1 to 1024", beam));
  }
  if (options.polish_passes < 0) {
    throw InvalidInput(
        fmt::format("finetune: {} polishing passes, expected 0 or more", options.polish_passes));
  }
  for (const double factor : options.scale_factors) {
    if (!(factor > 0 && std::isfinite(factor))) {
      throw InvalidInput(
          fmt::format("finetune: a scale factor of {}, expected a finite number above 0", factor));
    }
  }
}

/// The factors of the scale to try. The first is 1, so that it wins ties.
std::vector<float> factors_of(const WeightGrid& grid, const GptqOptions& options) {
  std::vector<float> factors = {1.0F};
  if (!options.choose_scales || grid.freedom == ScaleFreedom::none) return factors;
  if (grid.freedom == ScaleFreedom::powers_of_two) return {1.0F, 0.5F, 2.0F};
  for (const double factor : options.scale_factors) factors.push_back(static_cast<float>(factor));
  return factors;
}

/// Runs the solver over a layer.
class GptqSolver {
 public:
  GptqSolver(const LayerWeights& layer, const std::vector<Lattice>& lattices,
             const GptqOptions& options, ThreadPool& pool, const CancellationToken& token)
      : layer_(layer),
        lattices_(lattices),
        options_(options),
        factors_(factors_of(layer.grid, options)),
        pool_(pool),
        token_(token) {}

  Solution solve() {
    choose_factors();
    Solution solution = round_to_nearest(layer_);
    const std::int64_t rows = layer_.shape.rows;
    const std::int64_t blocks = (rows + kTasksAtOnce - 1) / kTasksAtOnce;
    pool_.parallel_for(
        layer_.shape.groups * blocks,
        [&](std::int64_t index, int) {
          const std::int64_t group = index / blocks;
          if (lattices_[to_size(group)].is_flat) return;
          std::vector<std::int64_t> outputs;
          std::vector<RowTask> tasks;
          const std::int64_t first = index % blocks * kTasksAtOnce;
          for (std::int64_t row = first; row < std::min(rows, first + kTasksAtOnce); ++row) {
            outputs.push_back(group * rows + row);
            tasks.push_back(task_of(outputs.back(), factors_[chosen_[to_size(outputs.back())]]));
          }
          const std::vector<RowResult> results = solve_rows(group, tasks, true);
          for (std::size_t row = 0; row < results.size(); ++row) {
            store(outputs[row], tasks[row].grid.scale, results[row], solution);
          }
        },
        token_);
    return solution;
  }

  /// False when every output kept the grid's scale.
  [[nodiscard]] bool has_new_scales() const {
    return std::ranges::any_of(chosen_, [](std::size_t factor) { return factor != 0; });
  }

 private:
  [[nodiscard]] RowTask task_of(std::int64_t output, float factor) const {
    const std::int64_t k = layer_.shape.columns;
    const std::int64_t zero_point = layer_.grid.zero_points[to_size(output)];
    const std::vector<float>& targets = lattices_[to_size(output / layer_.shape.rows)].targets;
    return {
        .target = std::span(targets).subspan(to_size(output % layer_.shape.rows * k), to_size(k)),
        .grid = {.scale = layer_.grid.scales[to_size(output)] * factor,
                 .low = static_cast<float>(layer_.grid.limits.low - zero_point),
                 .high = static_cast<float>(layer_.grid.limits.high - zero_point),
                 .zero_point = static_cast<float>(zero_point)}};
  }

  [[nodiscard]] bool is_small() const {
    return layer_.shape.columns <= (layer_.shape.rows == 1 ? kSmallDepthwise : kSmall);
  }

  [[nodiscard]] int final_beam() const {
    return is_small() ? std::max(options_.beam, options_.small_beam) : options_.beam;
  }

  [[nodiscard]] std::vector<RowResult> solve_rows(std::int64_t group,
                                                  const std::vector<RowTask>& tasks,
                                                  bool is_final) const {
    const Lattice& lattice = lattices_[to_size(group)];
    const int beam = is_final ? final_beam() : std::min(final_beam(), is_small() ? kScaleBeam : 1);
    if (beam == 1 && !is_final) return nearest_plane(lattice, tasks);
    std::vector<RowResult> results;
    if (beam == 1) {
      results = nearest_plane(lattice, tasks);
    } else {
      for (const RowTask& task : tasks) results.push_back(k_best(lattice, task, beam));
    }
    if (is_final) {
      for (std::size_t row = 0; row < tasks.size(); ++row)
        polish(lattice, tasks[row], options_.polish_passes, results[row]);
    }
    return results;
  }

  /// Chooses the scale with the least cost, for each output or for all outputs together.
  void choose_factors() {
    const auto factors = static_cast<std::int64_t>(factors_.size());
    const std::int64_t outputs = layer_.shape.outputs();
    chosen_.assign(to_size(outputs), 0);
    if (factors == 1) return;
    const std::int64_t rows = layer_.shape.rows;
    std::vector<double> costs(to_size(outputs * factors));
    const std::int64_t blocks = (rows * factors + kTasksAtOnce - 1) / kTasksAtOnce;
    pool_.parallel_for(
        layer_.shape.groups * blocks,
        [&](std::int64_t index, int) {
          const std::int64_t group = index / blocks;
          if (lattices_[to_size(group)].is_flat) return;
          const std::int64_t first = index % blocks * kTasksAtOnce;
          const std::int64_t end = std::min(rows * factors, first + kTasksAtOnce);
          std::vector<RowTask> tasks;
          for (std::int64_t at = first; at < end; ++at) {
            tasks.push_back(task_of(group * rows + at / factors, factors_[to_size(at % factors)]));
          }
          const std::vector<RowResult> results = solve_rows(group, tasks, false);
          for (std::int64_t at = first; at < end; ++at) {
            costs[to_size(group * rows * factors + at)] = results[to_size(at - first)].cost;
          }
        },
        token_);
    if (layer_.grid.per_tensor) {
      std::vector<double> totals(to_size(factors));
      for (std::size_t at = 0; at < costs.size(); ++at) totals[at % to_size(factors)] += costs[at];
      chosen_.assign(to_size(outputs), to_size(std::ranges::min_element(totals) - totals.begin()));
    } else {
      for (std::int64_t output = 0; output < outputs; ++output) {
        const auto begin = costs.begin() + output * factors;
        chosen_[to_size(output)] = to_size(std::min_element(begin, begin + factors) - begin);
      }
    }
  }

  void store(std::int64_t output, float scale, const RowResult& result, Solution& solution) const {
    const std::int64_t k = layer_.shape.columns;
    const std::vector<std::int64_t>& order = lattices_[to_size(output / layer_.shape.rows)].order;
    for (std::int64_t place = 0; place < k; ++place) {
      solution.codes[to_size(output * k + order[to_size(place)])] =
          result.points[to_size(place)] + layer_.grid.zero_points[to_size(output)];
    }
    solution.scales[to_size(output)] = scale;
  }

  const LayerWeights& layer_;
  const std::vector<Lattice>& lattices_;
  const GptqOptions& options_;
  std::vector<float> factors_;
  std::vector<std::size_t> chosen_;  // [outputs], index into factors_
  ThreadPool& pool_;
  const CancellationToken& token_;
};

/// The better of both solutions for each row. When all rows share one scale and `solved` has a new
/// one, the better of both solutions for the whole layer.
Solution better_of(const LayerWeights& layer, Solution nearest, Solution solved,
                   bool share_new_scale, const Moments& moments, ThreadPool& pool) {
  const std::vector<double> before = row_errors(layer, nearest, moments, pool);
  const std::vector<double> after = row_errors(layer, solved, moments, pool);
  if (share_new_scale) {
    const bool is_better = relative_error(after, moments) < relative_error(before, moments);
    return is_better ? std::move(solved) : std::move(nearest);
  }
  const std::int64_t k = layer.shape.columns;
  for (std::int64_t output = 0; output < layer.shape.outputs(); ++output) {
    if (after[to_size(output)] < before[to_size(output)]) continue;
    std::copy_n(nearest.codes.begin() + output * k, k, solved.codes.begin() + output * k);
    solved.scales[to_size(output)] = nearest.scales[to_size(output)];
    if (!solved.bias.empty()) solved.bias[to_size(output)] = nearest.bias[to_size(output)];
  }
  return solved;
}

}  // namespace

double default_ridge(const LayerShape& shape, std::int64_t columns) {
  return std::max(0.1, 8 * static_cast<double>(shape.columns) / static_cast<double>(columns));
}

Solution gptq(const LayerWeights& layer, const Moments& moments, const GptqOptions& options,
              ThreadPool& pool, const CancellationToken& token) {
  require_valid(options);
  Solution nearest = round_to_nearest(layer);
  if (moments.count == 0) return nearest;
  const bool updates_bias = options.bias == BiasUpdate::make ||
                            (options.bias == BiasUpdate::update && !layer.bias.empty());
  const double ridge = options.ridge.value_or(default_ridge(layer.shape, moments.count));
  const std::vector<Lattice> lattices =
      make_lattices(layer, moments, {.ridge = ridge, .is_centred = updates_bias}, pool, token);
  GptqSolver solver(layer, lattices, options, pool, token);
  Solution solved = solver.solve();
  if (updates_bias) {
    nearest.bias = corrected_bias(layer, nearest, moments);
    solved.bias = corrected_bias(layer, solved, moments);
  }
  return better_of(layer, std::move(nearest), std::move(solved),
                   layer.grid.per_tensor && solver.has_new_scales(), moments, pool);
}

}  // namespace quantsearch::reconstruction
