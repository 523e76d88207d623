#pragma once

// One trial: a point becomes a model, the model its scores.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autosearch/acceptance.h"
#include "autosearch/cost_model.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/files.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

/// What every trial of a search shares. All outlive the runner.
struct TrialContext {
  const AutoSearchConfig& config;
  Pipeline& pipeline;
  const Reference& reference;
  ThreadPool& pool;
  const std::optional<CustomEvaluator>& evaluator;
  const Acceptance& acceptance;
  TrialCosts& costs;
  ObjectiveName objective;
  LogSink log;
};

class TrialRunner {
 public:
  explicit TrialRunner(const TrialContext& context) : context_(context) {}

  /// Builds and scores. Throws what the stages throw.
  [[nodiscard]] TrialOutcome run(const Point& point, std::int64_t number, const CancellationToken& token);
  /// The model of a finished trial: the latest one's is at hand, others are built again from what the stage cache holds.
  [[nodiscard]] std::shared_ptr<const QuantizedModel> model_of(const Point& point) const;

  /// Settings that give the trial's model again, without a search for formats.
  [[nodiscard]] Settings reproducing_settings(const Point& point) const;

 private:
  struct Latest {
    Point point;
    std::shared_ptr<const QuantizedModel> quantized;
  };
  Latest latest_;
  TrialContext context_;
};

/// Metrics recorded beside the objective: they cost next to nothing and let results be compared.
[[nodiscard]] std::vector<Metric> recorded_metrics(const AutoSearchConfig& config, bool has_labels);

/// Score of a model by the user's own evaluator, through a temporary file. Throws IoError when it is not a finite number.
[[nodiscard]] double custom_score(const CustomEvaluator& evaluator, const Model& model, const CancellationToken& token);

}  // namespace quantsearch
