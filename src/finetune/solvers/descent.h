#pragma once

// The training loop that AdaRound and AdaQuant share: minibatches, gradients of the reconstruction
// error, Adam, early stopping. Rows are independent of each other, so each block of rows runs
// several steps without waiting for the others.

#include <cstdint>
#include <optional>

#include "finetune/solvers/output_loss.h"
#include "finetune/solvers/trained_weights.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/thread_pool.h"

namespace quantsearch::reconstruction {

enum class LearningSchedule { constant, cosine };

struct DescentOptions {
  std::int64_t iterations = 1000;
  double learning_rate = 0.1;
  LearningSchedule schedule = LearningSchedule::constant;
  std::int64_t batch_size = 1;  // samples per step; sampled objective only
  std::uint64_t seed = 0;
  bool early_stop = false;
  /// Steps between two checks of early stopping, the first of which comes after the warm start; 0:
  /// a tenth of the iterations.
  std::int64_t window = 0;
  std::int64_t patience = 2;  // checks without a smaller error before training stops
  // Sampled objective only, because moments describe the output before the activation.
  OutputLoss loss = {};
  std::int64_t error_samples = 64;  // evenly spread samples on which errors are measured
};

/// Errors are those of the codes, not of the soft weights: the relative energy of the difference
/// after the activation and quantizer of the loss.
struct DescentResult {
  Solution solution;
  double error_before = 0;  // of nearest rounding
  double error_after = 0;   // of the solution; it may be larger, and the caller decides
  std::int64_t iterations = 0;
};

/// The differences between the methods.
struct DescentPlan {
  bool trains_bias = false;
  double regularization = 0;  // of learned rounding
  double beta_start = 20;
  double beta_end = 2;
  double warm_start = 0;  // share of the iterations without regularization
};

/// Trains `weights` on samples or moments. Throws InvalidInput for options out of their bounds, and
/// Cancelled.
[[nodiscard]] DescentResult descend(const LayerWeights& layer, const LayerSamples& samples,
                                    TrainedWeights& weights, const DescentPlan& plan,
                                    const DescentOptions& options, ThreadPool& pool,
                                    const CancellationToken& token);
[[nodiscard]] DescentResult descend(const LayerWeights& layer, const Moments& moments,
                                    TrainedWeights& weights, const DescentPlan& plan,
                                    const DescentOptions& options, ThreadPool& pool,
                                    const CancellationToken& token);

}  // namespace quantsearch::reconstruction
