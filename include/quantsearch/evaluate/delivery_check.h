#pragma once

// The last look at a model before a user has it: it is run beside its float model on a few samples,
// one after the other and in turns, so that noise and latency come from the same runs.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

/// One output over all samples that were run.
struct OutputNoise {
  std::string output;
  double rel_l2 = 0;       // energy of the difference over that of the float model's values
  double worst_slice = 0;  // Metric::worst_slice
  /// The same for the quantized model run as its graph says, without kernels that multiply
  /// integers; absent when not asked.
  std::optional<double> graph_rel_l2 = {};
  std::string skipped = {};  // why there are no numbers; "" when there are
};

/// Two models in turns on the same input: what slows one run slows its partner too.
struct PairedLatency {
  double float_ms = 0;      // median
  double quantized_ms = 0;  // median
  double ratio = 0;         // median over pairs of quantized over float
  int pairs = 0;
};

struct DeliveryCheck {
  std::int64_t samples = 0;
  std::vector<OutputNoise> outputs;
  PairedLatency latency;
};

struct DeliveryCheckOptions {
  std::int64_t samples = 16;  // at most; spread over the data
  // No further run begins when it would end later, after the first pair.
  double seconds = 1;
  bool compare_with_graph = false;  // for processors whose integer kernels saturate
  CancellationToken token = {};
};

/// Runs both on one thread. Throws what opening and running `quantized` throws: then it is not to
/// be delivered.
[[nodiscard]] DeliveryCheck check_delivery(const Model& float_model, const Model& quantized,
                                           const DataSource& data,
                                           const DeliveryCheckOptions& options = {});

/// One run of the model. Throws what opening and running it throws.
void prove_that_it_runs(const Model& quantized, const Batch& sample,
                        const CancellationToken& token = {});

/// The same as check_delivery over sessions.
struct CheckedSessions {
  const Session& float_model;
  const Session& quantized;
  const Session* graph = nullptr;  // the quantized model as its graph says; null: not asked
  std::vector<ValueInfo> outputs;  // that are compared, as the float model declares them
};
[[nodiscard]] DeliveryCheck check_sessions(const CheckedSessions& sessions, const DataSource& data,
                                           const DeliveryCheckOptions& options);

/// Milliseconds of pairs (float, quantized), at least one.
[[nodiscard]] PairedLatency summarize_pairs(std::span<const std::pair<double, double>> pairs);

/// True when the noise of a model is more on this processor than as its graph says, by more than
/// integer kernels round.
[[nodiscard]] bool differs_by_more_than_rounding(double rel_l2, double graph_rel_l2);

/// What a user must know: outputs that are destroyed, a model slower than float, arithmetic that
/// differs from the graph's. Each with what to try next.
[[nodiscard]] std::vector<std::string> delivery_warnings(const DeliveryCheck& check);

}  // namespace quantsearch
