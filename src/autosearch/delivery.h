#pragma once

// What is left when a search has ended, however it ended: the best model, the candidates and the
// results.

#include <chrono>
#include <functional>
#include <optional>

#include "autosearch/output_folder.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/trials/acceptance.h"
#include "quantsearch/trials/executor.h"

namespace quantsearch {

struct Delivery {
  const AutoSearchConfig& config;
  const SearchInput& input;
  const SearchEnvironment& environment;
  const Study& study;
  const SpaceSummary& summary;
  const Scores& float_scores;
  ObjectiveName objective;
  std::vector<Goal> goals;  // of all objectives
  std::string tolerance;    // the rule in words
  std::optional<std::int64_t> best;
  std::optional<Confirmation> confirmation;
  std::function<BuiltModel(const Trial&)> built;  // of a complete trial
  const Reference& reference;
  CacheReport cache;
  const OutputFolder& output;
  Clock::time_point start;
};

/// What is known without measuring a model: no latencies, except where every trial measured its
/// own.
[[nodiscard]] ResultsDocument document_of(const Delivery& delivery);

/// Writes results.json, then the candidates, and measures the latency of the float model and of
/// every model written, on a processor whose integer kernels saturate also its scores in the other
/// arithmetic, and writes results.json again with them.
[[nodiscard]] ResultsDocument deliver(const Delivery& delivery);

}  // namespace quantsearch
