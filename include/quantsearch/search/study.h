#pragma once

// Trials, and the loop that makes them: ask a sampler for a point, run the objective, tell the
// result, check the stop conditions. Knows nothing of ONNX.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/goal.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/value.h"
#include "quantsearch/search/space.h"

namespace quantsearch {

enum class TrialState { running, complete, failed, pruned, interrupted };
[[nodiscard]] std::string to_string(TrialState state);
/// The state of that name; nullopt when there is none.
[[nodiscard]] std::optional<TrialState> parse_trial_state(const std::string& name);

struct Trial {
  std::int64_t number = 0;
  TrialState state = TrialState::running;
  Point point;
  std::optional<double> value;           // the objective, when complete; of several the first
  std::vector<double> objectives = {};   // all of them, when there are several
  std::vector<double> constraints = {};  // feasible when every one is <= 0
  bool is_candidate = false;             // within the tolerance
  double seconds = 0;
  std::string reason;  // of a failed, pruned or interrupted trial
  Value details;       // whatever the objective wants to keep (scores, stages, sizes)
  bool operator==(const Trial&) const = default;
};

/// No constraint is violated.
[[nodiscard]] bool is_feasible(const Trial& trial);

/// What an objective is asked to run.
struct TrialRequest {
  Point point;
  std::int64_t number = 0;
  /// The best trial that counts so far, which the new one has to beat; nullopt without one. It
  /// depends on the number alone, like what a sampler that learns was told.
  std::optional<Trial> incumbent = {};
  CancellationToken token = {};
};

/// What a trial made, of a type that the objective and `on_trial` agree on. It lives in memory
/// only.
using TrialProduct = std::shared_ptr<const void>;

struct TrialSuccess {
  double value = 0;
  bool is_candidate = false;
  Value details;
  std::vector<double> objectives = {};   // all of them, `value` first, when there are several
  std::vector<double> constraints = {};  // feasible when every one is <= 0
  TrialProduct product = {};
};
/// Given up early, because it cannot become the best: `value` is the estimate so far.
struct TrialPruned {
  double value = 0;
  std::string reason;
  Value details;
};
/// An expected failure: recorded, the search goes on.
struct TrialFailure {
  std::string reason;
  Value details;
};
using TrialOutcome = std::variant<TrialSuccess, TrialFailure, TrialPruned>;
/// May throw: Cancelled becomes an interrupted trial, any other exception a failed one with its
/// message. A value that is not finite is a failure too. Called from several threads at once when
/// the search has several jobs.
using Objective = std::function<TrialOutcome(const TrialRequest& request)>;

/// The place of a study is gone while it is in use. A search ends with it and keeps what it has in
/// memory.
class StudyRemoved : public IoError {
 public:
  using IoError::IoError;
};

/// Where finished trials are kept. Implementations are written trial by trial, so that a kill loses
/// at most the running one.
class StudyStore {
 public:
  virtual ~StudyStore() = default;
  /// Trials of earlier runs of the same study, in the order of their numbers.
  [[nodiscard]] virtual std::vector<Trial> load() = 0;
  /// Says that a trial begins, for those who watch. Trials begin in the order of their numbers.
  virtual void start(const Trial& /*running*/) {}
  /// A trial that the end of its search interrupted is not saved: it is run again, under its
  /// number, by the next search.
  virtual void save(const Trial& finished) = 0;
};

/// A store that several processes work on at once: each trial is run by exactly one of them.
class SharedStudyStore : public StudyStore {
 public:
  /// What others did since the last time that `propose` was called, or load().
  struct News {
    std::vector<Trial> finished;  // by number; this process's own are among them
    std::vector<Trial> running;   // by number; of every process, this one too
  };
  /// Chooses the next point, or none: the space is exhausted or the search should stop.
  using Propose = std::function<std::optional<Point>(const News& news)>;

  /// Starts a trial and returns it, leased to this process. Under the lock of the study, so that no
  /// other process starts one meanwhile: tells `propose` the news and gives the point it chooses
  /// the next number; but a trial whose lease ran out (its worker died) comes first, with its
  /// number and point. nullopt when `propose` chose none.
  [[nodiscard]] virtual std::optional<Trial> begin(const Propose& propose) = 0;
  /// As save(), but false, and nothing written, when the trial's lease ran out and another process
  /// took it over (save() throws IoError then).
  [[nodiscard]] virtual bool finish(const Trial& finished) {
    save(finished);
    return true;
  }
  /// Extends the leases of this process's running trials. To be called a few times within a lease,
  /// also while another thread is in begin() or save().
  virtual void keep_alive() = 0;
  [[nodiscard]] virtual double lease_seconds() const = 0;
};
[[nodiscard]] std::unique_ptr<StudyStore> in_memory_store();

/// Proposes points. Deterministic in its seed and what it was told.
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// The next point, normalized and never one already proposed; nullopt when the space is
  /// exhausted, or when it is no longer ready.
  [[nodiscard]] virtual std::optional<Point> ask() = 0;
  /// Of a point it proposed, in the order of its proposals, or of one that an earlier search or
  /// another process ran.
  virtual void tell(const Trial& finished) = 0;
  /// False: it cannot say what comes next before it is told of more of the trials it proposed.
  [[nodiscard]] virtual bool is_ready() const { return true; }
  /// True when what it proposes depends on what it was told.
  [[nodiscard]] virtual bool learns() const { return false; }
  /// How many points are left when that is known.
  [[nodiscard]] virtual std::optional<std::int64_t> remaining() const = 0;
};

struct SamplerOptions {
  std::uint64_t seed = 0;
  // Spaces up to this many raw points are enumerated and ordered whole; larger ones are walked
  // lazily, parameter by parameter (grid) or drawn by index (random). 200 000 normalizations take
  // well under a second.
  std::int64_t enumeration_limit = 200'000;
};

/// What a search sees of its space before it starts.
struct SpaceSummary {
  std::int64_t raw = 0;
  std::int64_t distinct = 0;  // lower bound when not complete
  std::map<std::string, std::int64_t> filtered;
  bool complete = true;
};

/// Throws InvalidInput for a space with a range of real numbers, which a grid cannot walk.
void require_listed(const Space& space);
/// Every distinct point once: cheap first, points with shared stages adjacent. Throws InvalidInput
/// for a space with a range of real numbers.
[[nodiscard]] std::unique_ptr<Sampler> grid_sampler(const Space& space, Normalize normalize,
                                                    CostModel cost,
                                                    const SamplerOptions& options = {});
/// Without replacement, weighted by priority 1 / expected seconds (Efraimidis & Spirakis 2006).
/// Uniform in a space with a range of real numbers.
[[nodiscard]] std::unique_ptr<Sampler> random_sampler(const Space& space, Normalize normalize,
                                                      CostModel cost,
                                                      const SamplerOptions& options = {});
[[nodiscard]] SpaceSummary summarize(const Space& space, const Normalize& normalize,
                                     std::int64_t limit = 200'000);

/// Absent: the condition is off. Trials of earlier runs count, times are of this run. Checked
/// before each trial in this order: cancellation, candidates, improvement, iterations, time.
struct StopConditions {
  std::optional<std::int64_t> find_n_candidates;  // >= 1
  // >= 1: the best value has not improved for k complete trials.
  std::optional<std::int64_t> find_best_candidate;
  std::optional<std::int64_t> iteration_limit;  // >= 1: finished trials of any state
  std::optional<double> time_limit_seconds;     // also stops the running trial
  // A longer trial is interrupted, the search goes on.
  std::optional<double> trial_time_limit_seconds;
};

enum class StopReason {
  space_exhausted,
  candidates_found,
  no_improvement,
  iteration_limit,
  time_limit,
  cancelled,
  study_removed
};
[[nodiscard]] std::string to_string(StopReason reason);

struct SearchOptions {
  Goal goal = Goal::minimize;
  int jobs = 1;  // trials at the same time, >= 1; with 1 the objective runs on the calling thread
  StopConditions stop = {};
  CancellationToken token = {};
  /// Called after each finished trial with what it made, in the order of their numbers, and for
  /// those that the end of the search interrupted, which made nothing.
  std::function<void(const Trial& finished, const TrialProduct& product)> on_trial = {};
  /// Called before a trial starts. All on the thread of optimize().
  std::function<void(std::int64_t number, const Point& point)> on_start = {};
  std::function<Clock::time_point()> now = [] { return Clock::now(); };
};

struct Study {
  std::vector<Trial> trials;  // by number
  // Number of the best complete trial that keeps the limits, by TrialOrder.
  std::optional<std::int64_t> best;
  std::vector<std::int64_t> candidates;  // numbers, best first
  StopReason stop_reason = StopReason::space_exhausted;
  std::string stop_message;  // with both numbers: "iteration limit reached: 10 of 10 trials"
  double seconds = 0;        // of this run
};

/// Runs until a stop condition holds or the sampler is exhausted. Points that the store already has
/// are not run again: the sampler is told their results when it proposes them, so that a resumed
/// search goes on as if it had never stopped.
///
/// With several jobs the result is the same whatever trial takes how long: finished trials are
/// counted, told and reported in the order of their numbers, and a sampler that learns is asked for
/// trial n when it has been told of the trials up to n - (2 jobs - 1), no more and no less (one
/// that does not learn may be further ahead). Trials that are still running when a count ends the
/// search are stopped and left out. Throws InvalidInput for a stop condition or number of jobs out
/// of range, and what the store or a callback throws.
[[nodiscard]] Study optimize(Sampler& sampler, const Objective& objective,
                             const SearchOptions& options, StudyStore& store);

/// The same as one of several processes on one study. The order of trials depends on who is faster;
/// each is run by one. The sampler sees every process's trials. The stop conditions count them all.
/// `jobs` of this process.
[[nodiscard]] Study optimize_shared(Sampler& sampler, const Objective& objective,
                                    const SearchOptions& options, SharedStudyStore& store);

}  // namespace quantsearch
