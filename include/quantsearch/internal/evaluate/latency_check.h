#pragma once

// Latencies of many models beside one float model.

#include <map>
#include <memory>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/hash.h"
#include "quantsearch/evaluate/paired_latency.h"
#include "quantsearch/model.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

/// How long one model is measured. A measurement is per kind of model, so it may take the time that
/// a narrow interval needs: some hundred pairs of a small model, a few of a large one.
struct LatencyEffort {
  int fewest_pairs = 15;
  double seconds = 0.3;
  double most_seconds = 3;  // on a busy machine
};

/// Measures the latencies of models beside that of the float model. Models that run the same
/// kernels on the same shapes (kernel_key) are measured once, so that their order does not depend
/// on noise. Not thread-safe.
class LatencyCheck {
 public:
  /// `float_model` must outlive the object. `sample`: the input of a run.
  LatencyCheck(const Model& float_model, Batch sample, SessionOptions options,
               LatencyEffort effort = {});
  ~LatencyCheck();
  LatencyCheck(const LatencyCheck&) = delete;
  LatencyCheck& operator=(const LatencyCheck&) = delete;

  /// Throws what opening and running a session throw; nothing is kept of such a model.
  [[nodiscard]] PairedLatency measure(const Model& quantized, const CancellationToken& token);

 private:
  const Model& float_model_;
  Batch sample_;
  SessionOptions options_;
  LatencyEffort effort_;
  std::unique_ptr<Session> float_session_;  // opened by the first measurement
  std::map<Key, PairedLatency> known_;
};

}  // namespace quantsearch
