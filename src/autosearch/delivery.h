#pragma once

// Writes the output of a search, however it ended: the best model, the candidates and the results.

#include <chrono>
#include <functional>
#include <optional>

#include "autosearch/best_profile.h"
#include "autosearch/output_folder.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/internal/trials/acceptance.h"
#include "quantsearch/internal/trials/executor.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

struct Delivery {
  const AutoSearchConfig& config;
  Pipeline& pipeline;
  const SearchInput& input;
  const SearchEnvironment& environment;
  const Study& study;
  const SpaceSummary& summary;
  const Value& placement;  // place_operators()
  const std::vector<std::string>& warnings;
  Value provenance;  // provenance_of()
  const Scores& float_scores;
  ObjectiveName objective;
  std::vector<Goal> goals;  // of all objectives
  std::string tolerance;    // text of the acceptance rule
  std::optional<std::int64_t> best;
  std::optional<Confirmation> confirmation;
  std::function<BuiltModel(const Trial&)> built;  // returns the model of a complete trial
  // Of the model that the settings make.
  std::function<Value(const Settings&, BestProfile&)> rank_layers;
  const Reference& reference;
  CacheReport cache;
  const OutputFolder& output;
  Clock::time_point start;
};

/// Returns the results without further measurements: they contain no latencies, except when every
/// trial has measured its own.
[[nodiscard]] ResultsDocument document_of(const Delivery& delivery);

/// Writes results.json, then the candidates. Measures the latency of the float model and of every
/// model written and, on a processor whose integer kernels saturate, the scores in the other
/// arithmetic, and describes the operators of the best model. Then writes results.json again with
/// these values, and report.html.
[[nodiscard]] ResultsDocument deliver(const Delivery& delivery);

}  // namespace quantsearch
