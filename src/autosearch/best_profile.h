#pragma once

// The operators of the best model, with their times beside those of the float model, for the table
// of operators and the ranking of layers.

#include <optional>
#include <vector>

#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/placement.h"
#include "quantsearch/trials/goals.h"

namespace quantsearch {

/// Nothing is made before it is asked for, and nothing twice. All references must outlive it.
class BestProfile {
 public:
  struct Options {
    const GoalConfig& goals;
    Device device;           // that scores and latencies come from
    const DataSource& data;  // its first sample is run
    CancellationToken token;
  };
  BestProfile(Pipeline& pipeline, QuantizationConfig config, Options options);

  /// How the model came about. Throws what Pipeline::explain() throws.
  [[nodiscard]] const Explanation& made();
  /// The times of its kernels; null when nothing is timed, or when it would say nothing about the
  /// deployed model. Throws what kernel_costs() throws.
  [[nodiscard]] const std::vector<KernelCost>* costs();

 private:
  Pipeline& pipeline_;
  QuantizationConfig config_;
  Options options_;
  std::optional<Explanation> made_;
  std::optional<std::vector<KernelCost>> costs_;
};

}  // namespace quantsearch
