#pragma once

// What is left when a search has ended, however it ended: the best model, the candidates and the results.

#include <chrono>
#include <optional>

#include "autosearch/acceptance.h"
#include "autosearch/output_folder.h"
#include "autosearch/trial_host.h"
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
  TrialHost& trials;
  const Reference& reference;
  CacheReport cache;
  const OutputFolder& output;
  Clock::time_point start;
};

/// Writes candidates and results.json; measures the latency of the float model and of every model written.
[[nodiscard]] ResultsDocument deliver(const Delivery& delivery);

}  // namespace quantsearch
