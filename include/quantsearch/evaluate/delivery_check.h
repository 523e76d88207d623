#pragma once

// The final check of a model before it is delivered. The model and its float model run alternately
// on a few samples, so that noise and latency come from the same runs.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/data.h"
#include "quantsearch/evaluate/paired_latency.h"
#include "quantsearch/model.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

/// Noise of one output over all samples that were run.
struct OutputNoise {
  std::string output;
  double rel_l2 = 0;       // energy of the difference over the energy of the float model's values
  double worst_slice = 0;  // Metric::worst_slice
  /// rel_l2 of the quantized model without kernels that multiply integers, that is, with the
  /// arithmetic of its graph; absent when not requested.
  std::optional<double> graph_rel_l2 = {};
  std::string skipped = {};  // why there are no numbers; empty when there are
};

struct DeliveryCheck {
  std::int64_t samples = 0;
  std::vector<OutputNoise> outputs;
  PairedLatency latency;
};

struct DeliveryCheckOptions {
  std::int64_t samples = 16;  // at most; spread evenly over the data
  // After the first pair no run begins that would end later than this.
  double seconds = 1;
  bool compare_with_graph = false;  // for processors whose integer kernels saturate
  CancellationToken token = {};
};

/// Runs both models on one thread. Throws what opening and running `quantized` throws; such a model
/// must not be delivered.
[[nodiscard]] DeliveryCheck check_delivery(const Model& float_model, const Model& quantized,
                                           const DataSource& data,
                                           const DeliveryCheckOptions& options = {});

/// Runs the model once. Throws what opening and running it throws.
void prove_that_it_runs(const Model& quantized, const Batch& sample,
                        const CancellationToken& token = {});

/// The sessions that check_sessions() compares in the same way as check_delivery().
struct CheckedSessions {
  const Session& float_model;
  const Session& quantized;
  // The quantized model with the arithmetic of its graph; null: not requested.
  const Session* graph = nullptr;
  std::vector<ValueInfo> outputs;  // the compared ones, as the float model declares them
};
[[nodiscard]] DeliveryCheck check_sessions(const CheckedSessions& sessions, const DataSource& data,
                                           const DeliveryCheckOptions& options);

/// True when the noise on this processor exceeds the noise of the graph's own arithmetic by more
/// than the rounding of integer kernels explains.
[[nodiscard]] bool differs_by_more_than_rounding(double rel_l2, double graph_rel_l2);

/// What the configuration of a model has not used yet, so that no advice names what is in use.
struct OpenRemedies {
  // False for other processors: neither the speed nor the integer kernels of this one count.
  bool on_cpu = true;
  bool target_cpu = true;
  bool reduce_range = true;
  bool reconstruction = true;
  bool wide_activations = true;
  bool fewer_operators = true;
};

/// What helps where integer kernels saturate, such as "; use target cpu, or reduce_range"; empty
/// when nothing is left.
[[nodiscard]] std::string saturation_advice(const OpenRemedies& open);

/// Warnings for the user: destroyed outputs, a model slower than the float model, arithmetic that
/// differs from the graph's. Each says what is left to try.
[[nodiscard]] std::vector<std::string> delivery_warnings(const DeliveryCheck& check,
                                                         const OpenRemedies& open = {});

}  // namespace quantsearch
