#pragma once

// Streams columns into second moments, and gives the squared error of integer weights from them.
// The identities are in docs/algorithms/gptq.md; layer_problem.h has the formula of the error.

#include <cstdint>
#include <vector>

#include "finetune/layer_problem.h"
#include "quantsearch/base/thread_pool.h"

namespace quantsearch::reconstruction {

/// Products are summed in float over runs of a few hundred columns and in double beyond. The sums
/// depend on the order of the calls, not on the number of threads.
class MomentsAccumulator {
 public:
  explicit MomentsAccumulator(const LayerShape& shape);

  /// Adds all columns. Throws InternalError when their sizes do not fit the shape.
  void add(const Columns& columns, ThreadPool& pool);
  /// Adds what another accumulator of the same shape has seen. The result depends on the order of
  /// the merges.
  void merge(const MomentsAccumulator& other);
  /// Means so far; count 0 gives zeros.
  [[nodiscard]] Moments moments() const;
  /// What an accumulator of this shape holds.
  [[nodiscard]] static std::int64_t bytes(const LayerShape& shape);

 private:
  void add_sums(const Columns& columns, ThreadPool& pool);
  void add_runs(const Columns& columns, ThreadPool& pool);
  void add_tiles(const Columns& columns, ThreadPool& pool);

  LayerShape shape_;
  Moments sums_;  // sums, not means; only the lower triangles of h
};

/// Codes nearest to the float weights on the layer's grid, ties to even, as the weight quantizer
/// makes them, and where a pair of them is not safe the nearest that is; the bias is the layer's.
[[nodiscard]] Solution round_to_nearest(const LayerWeights& layer);

/// What the codes stand for: [outputs][K].
[[nodiscard]] std::vector<float> dequantized(const LayerWeights& layer, const Solution& solution);

/// J of each output: the mean squared error of its values before the activation, [outputs].
/// Rounding may leave a row that is nearly exact a few 1e-7 of its energy off, also below 0.
[[nodiscard]] std::vector<double> row_errors(const LayerWeights& layer, const Solution& solution,
                                             const Moments& moments, ThreadPool& pool);

/// Sum of J over the sum of the energies; 0 when both are 0.
[[nodiscard]] double relative_error(const std::vector<double>& row_errors, const Moments& moments);

}  // namespace quantsearch::reconstruction
