#pragma once

// What a search asks of whoever runs its trials: this process (trial_runner.h), or others that may die
// (isolated_trials.h).

#include <cstdint>
#include <memory>

#include "quantsearch/model.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

class TrialHost {
 public:
  virtual ~TrialHost() = default;

  /// Trials that really run at the same time: as many as the memory budget has room for.
  [[nodiscard]] virtual int jobs() const = 0;
  /// Builds and scores. Throws what the stages throw. Thread-safe for as many trials at the same time as there are jobs.
  [[nodiscard]] virtual TrialOutcome run(const Point& point, std::int64_t number, const CancellationToken& token) = 0;
  /// What trial `number` has to beat, when trials race.
  virtual void set_rival(std::int64_t number, const Trial* best) = 0;

  struct Made {
    std::shared_ptr<const Model> model;
    Settings settings;  // give the model again, without a search for formats
  };
  /// The model of a finished trial: a recent one's is at hand, others are built again.
  [[nodiscard]] virtual Made made(const Point& point) = 0;
  /// The trial has been reported: its model is no longer kept at hand.
  virtual void forget(const Point& point) = 0;
};

}  // namespace quantsearch
