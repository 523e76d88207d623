#pragma once

// What is left when a search has ended, however it ended: the best model, the candidates and the results.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "autosearch/acceptance.h"
#include "autosearch/output_folder.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/autosearch.h"

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
  std::function<std::shared_ptr<const Model>(const Trial&)> model_of;  // of a complete trial
  const Reference& reference;
  CacheReport cache;
  const OutputFolder& output;
  Clock::time_point start;
};

/// What is known without measuring a model: no latencies, except where every trial measured its own.
[[nodiscard]] ResultsDocument document_of(const Delivery& delivery);

/// Writes results.json, then the candidates, and measures the latency of the float model and of every model written, and
/// writes results.json again with them.
[[nodiscard]] ResultsDocument deliver(const Delivery& delivery);

}  // namespace quantsearch
