#include "quantsearch/internal/evaluate/latency_check.h"

#include <utility>

namespace quantsearch {

LatencyCheck::LatencyCheck(const Model& float_model, Batch sample, SessionOptions options,
                           LatencyEffort effort)
    : float_model_(float_model),
      sample_(std::move(sample)),
      options_(std::move(options)),
      effort_(effort) {}
LatencyCheck::~LatencyCheck() = default;

PairedLatency LatencyCheck::measure(const Model& quantized, const CancellationToken& token) {
  const auto [entry, is_new] = known_.try_emplace(kernel_key(quantized));
  if (!is_new) return entry->second;
  try {
    if (float_session_ == nullptr) float_session_ = open_session(float_model_, options_);
    const auto session = open_session(quantized, options_);
    const LatencyOptions runs{.threads = options_.threads,
                              .minimum_runs = effort_.fewest_pairs,
                              .seconds = effort_.seconds,
                              .token = token};
    entry->second = measure_pairs(*float_session_, *session, sample_, runs, effort_.most_seconds);
  } catch (...) {
    known_.erase(entry);
    throw;
  }
  return entry->second;
}

}  // namespace quantsearch
