#include "autosearch/best_profile.h"

#include <utility>

namespace quantsearch {

namespace {

// Of each of two profiles. They are short, because they are made at the end of every search, when
// nothing else runs; the runtime writes 300 bytes for each kernel of each run.
constexpr double kSeconds = 0.02;
constexpr int kMostRuns = 20;

}  // namespace

BestProfile::BestProfile(Pipeline& pipeline, QuantizationConfig config, Options options)
    : pipeline_(pipeline), config_(std::move(config)), options_(std::move(options)) {}

const Explanation& BestProfile::made() {
  if (!made_) made_ = pipeline_.explain(config_, options_.token);
  return *made_;
}

const std::vector<KernelCost>* BestProfile::costs() {
  if (!options_.goals.latency || !is_timed_here(config_, options_.device)) return nullptr;
  if (!costs_) {
    costs_ = kernel_costs(*made().float_model, *made().quantized, options_.data.read(0, 1),
                          {.threads = options_.goals.latency_threads,
                           .seconds = kSeconds,
                           .most_runs = kMostRuns,
                           .token = options_.token});
  }
  return &*costs_;
}

}  // namespace quantsearch
