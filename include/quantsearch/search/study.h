#pragma once

// Trials, and the loop that makes them: ask a sampler for a point, run the objective, tell the result, check the stop
// conditions. Knows nothing of ONNX.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/value.h"
#include "quantsearch/search/space.h"

namespace quantsearch {

enum class TrialState { running, complete, failed, pruned, interrupted };
[[nodiscard]] std::string to_string(TrialState state);

enum class Goal { minimize, maximize };

struct Trial {
  std::int64_t number = 0;
  TrialState state = TrialState::running;
  Point point;
  std::optional<double> value;   // the objective, when complete
  bool is_candidate = false;     // within the tolerance
  double seconds = 0;
  std::string reason;            // of a failed, pruned or interrupted trial
  Value details;                 // whatever the objective wants to keep (scores, stages, sizes)
  bool operator==(const Trial&) const = default;
};

struct TrialSuccess {
  double value = 0;
  bool is_candidate = false;
  Value details;
};
/// An expected failure: recorded, the search goes on.
struct TrialFailure {
  std::string reason;
  Value details;
};
using TrialOutcome = std::variant<TrialSuccess, TrialFailure>;
/// May throw: Error becomes a failed trial with its message, Cancelled an interrupted one.
using Objective = std::function<TrialOutcome(const Point& point, std::int64_t number, const CancellationToken& token)>;

/// Where finished trials are kept. Implementations are written trial by trial, so that a kill loses at most the
/// running one.
class StudyStore {
 public:
  virtual ~StudyStore() = default;
  /// Trials of earlier runs of the same study, in the order of their numbers.
  [[nodiscard]] virtual std::vector<Trial> load() = 0;
  virtual void save(const Trial& finished) = 0;
};
[[nodiscard]] std::unique_ptr<StudyStore> in_memory_store();

/// Proposes points. Deterministic in its seed and what it was told.
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// The next point, normalized and never one already proposed; nullopt when the space is exhausted.
  [[nodiscard]] virtual std::optional<Point> ask() = 0;
  virtual void tell(const Trial& finished) = 0;
  /// How many points are left when that is known.
  [[nodiscard]] virtual std::optional<std::int64_t> remaining() const = 0;
};

struct SamplerOptions {
  std::uint64_t seed = 0;
  // Spaces up to this many raw points are enumerated and ordered whole; larger ones are walked lazily, parameter by
  // parameter (grid) or drawn by index (random). 200 000 normalizations take well under a second.
  std::int64_t enumeration_limit = 200'000;
};

/// What a search sees of its space before it starts.
struct SpaceSummary {
  std::int64_t raw = 0;
  std::int64_t distinct = 0;  // lower bound when not complete
  std::map<std::string, std::int64_t> filtered;
  bool complete = true;
};

/// Every distinct point once: cheap first, points with shared stages adjacent.
[[nodiscard]] std::unique_ptr<Sampler> grid_sampler(const Space& space, Normalize normalize, CostModel cost,
                                                    const SamplerOptions& options = {});
/// Without replacement, weighted by priority 1 / expected seconds (Efraimidis & Spirakis 2006).
[[nodiscard]] std::unique_ptr<Sampler> random_sampler(const Space& space, Normalize normalize, CostModel cost,
                                                      const SamplerOptions& options = {});
[[nodiscard]] SpaceSummary summarize(const Space& space, const Normalize& normalize, std::int64_t limit = 200'000);

/// Absent: the condition is off.
struct StopConditions {
  std::optional<std::int64_t> find_n_candidates;    // >= 1
  std::optional<std::int64_t> find_best_candidate;  // stop when the best value has not improved for k complete trials
  std::optional<std::int64_t> iteration_limit;      // finished trials of any state
  std::optional<double> time_limit_seconds;         // also stops the running trial
  std::optional<double> trial_time_limit_seconds;   // a longer trial is interrupted, the search goes on
};

enum class StopReason { space_exhausted, candidates_found, no_improvement, iteration_limit, time_limit, cancelled };
[[nodiscard]] std::string to_string(StopReason reason);

struct SearchOptions {
  Goal goal = Goal::minimize;
  StopConditions stop;
  CancellationToken token;
  /// Called after each finished trial, in order.
  std::function<void(const Trial& finished)> on_trial;
  /// Called before a trial starts.
  std::function<void(std::int64_t number, const Point& point)> on_start;
};

struct Study {
  std::vector<Trial> trials;                // by number
  std::optional<std::int64_t> best;         // number of the best complete trial (first wins ties)
  std::vector<std::int64_t> candidates;     // numbers, best first
  StopReason stop_reason = StopReason::space_exhausted;
  std::string stop_message;                 // with both numbers: "iteration limit reached: 10 of 10 trials"
  double seconds = 0;
};

/// Runs until a stop condition holds or the sampler is exhausted. Points that the store already has are not run again.
[[nodiscard]] Study optimize(Sampler& sampler, const Objective& objective, const SearchOptions& options,
                             StudyStore& store);

}  // namespace quantsearch
