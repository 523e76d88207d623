#pragma once

// Accumulates second moments from columns and computes the squared error of integer weights from
// them. The identities are in docs/algorithms/gptq.md; layer_problem.h has the formula of the
// error.

#include <cstdint>
#include <vector>

#include "finetune/solvers/layer_problem.h"
#include "quantsearch/base/thread_pool.h"

namespace quantsearch::reconstruction {

/// Sums products in float over runs of 512 columns, and the sums of runs in double. The result
/// depends on the order of the calls but not on the number of threads.
class MomentsAccumulator {
 public:
  explicit MomentsAccumulator(const LayerShape& shape);

  /// Adds all columns. Throws InternalError when their sizes do not fit the shape.
  void add(const Columns& columns, ThreadPool& pool);
  /// Adds the columns of another accumulator of the same shape. The result depends on the order of
  /// the merges. Throws InternalError when the shapes differ.
  void merge(const MomentsAccumulator& other);
  /// The means of all columns so far; zeros when there are none.
  [[nodiscard]] Moments moments() const;
  /// The size of an accumulator of this shape.
  [[nodiscard]] static std::int64_t bytes(const LayerShape& shape);

 private:
  void add_sums(const Columns& columns, ThreadPool& pool);
  void add_runs(const Columns& columns, ThreadPool& pool);
  void add_tiles(const Columns& columns, ThreadPool& pool);

  LayerShape shape_;
  Moments sums_;  // sums, not means; only the lower triangles of h
};

/// The codes nearest to the float weights on the layer's grid, with ties to even as in the weight
/// quantizer. An unsafe pair of codes becomes the nearest safe pair. The bias is the layer's.
[[nodiscard]] Solution round_to_nearest(const LayerWeights& layer);

/// The float values of the codes: [outputs][K].
[[nodiscard]] std::vector<float> dequantized(const LayerWeights& layer, const Solution& solution);

/// J of each output, the mean squared error of its values before the activation: [outputs]. The
/// value may be wrong by a few 1e-7 of the energy of the row, so that it may be below 0 for a
/// nearly exact row.
[[nodiscard]] std::vector<double> row_errors(const LayerWeights& layer, const Solution& solution,
                                             const Moments& moments, ThreadPool& pool);

/// Sum of J over the sum of the energies; 0 when both are 0.
[[nodiscard]] double relative_error(const std::vector<double>& row_errors, const Moments& moments);

}  // namespace quantsearch::reconstruction
