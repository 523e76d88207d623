#include "quantsearch/internal/trials/executor.h"

namespace quantsearch {

namespace {

// A measurement per kind of model, not per trial, so it may take the time that a narrow interval
// needs: some hundred pairs of a small model, at least 15 of a large one.
constexpr double kSeconds = 0.3;
constexpr double kMostSeconds = 3;  // on a busy machine
constexpr int kFewestPairs = 15;

}  // namespace

LatencyRatio to_ratio(const PairedLatency& latency) {
  return {.ratio = latency.ratio,
          .low = latency.ratio_low,
          .high = latency.ratio_high,
          .float_ms = latency.float_ms};
}

LatencyCheck::LatencyCheck(const Model& float_model, Batch sample, SessionOptions options)
    : float_model_(float_model), sample_(std::move(sample)), options_(std::move(options)) {}
LatencyCheck::~LatencyCheck() = default;

PairedLatency LatencyCheck::measure(const Model& quantized, const CancellationToken& token) {
  const auto [entry, is_new] = known_.try_emplace(kernel_key(quantized));
  if (!is_new) return entry->second;
  try {
    if (float_session_ == nullptr) float_session_ = open_session(float_model_, options_);
    const auto session = open_session(quantized, options_);
    const LatencyOptions runs{.threads = options_.threads,
                              .minimum_runs = kFewestPairs,
                              .seconds = kSeconds,
                              .token = token};
    entry->second = measure_pairs(*float_session_, *session, sample_, runs, kMostSeconds);
  } catch (...) {
    known_.erase(entry);
    throw;
  }
  return entry->second;
}

}  // namespace quantsearch
