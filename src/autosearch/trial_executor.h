#pragma once

// What a search asks of whatever runs its trials: this process (trial_runner.h), or others that may end at any time
// (isolated_trials.h).

#include <cstdint>
#include <memory>

#include "quantsearch/model.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

/// A quantized model that came out of a trial.
struct BuiltModel {
  std::shared_ptr<const Model> model;
  Settings settings;  // build the model again, without a search for formats
};

/// What TrialProduct points to when a TrialExecutor ran the trial.
class BuiltProduct {
 public:
  virtual ~BuiltProduct() = default;
  [[nodiscard]] virtual BuiltModel load() const = 0;
  /// Memory that it holds.
  [[nodiscard]] virtual std::int64_t bytes() const = 0;
};

class TrialExecutor {
 public:
  virtual ~TrialExecutor() = default;

  /// Trials that really run at the same time: as many as the memory budget has room for.
  [[nodiscard]] virtual int jobs() const = 0;
  /// Builds and scores; the product of a success is a BuiltProduct. Throws what the stages throw. Thread-safe for as many
  /// trials at the same time as there are jobs.
  [[nodiscard]] virtual TrialOutcome run(const TrialRequest& request) = 0;
  /// The model of a complete trial whose product is not at hand: of an earlier run, of another process, or too large to keep.
  [[nodiscard]] virtual BuiltModel rebuild(const Trial& trial) = 0;
};

}  // namespace quantsearch
