#pragma once

// Trials and the loop that runs them: ask a sampler for a point, run the objective, tell the
// sampler the result, check the stop conditions. This code is independent of ONNX.

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
  // The objective of a complete trial; the first one when there are several.
  std::optional<double> value;
  std::vector<double> objectives = {};   // all of them, when there are several
  std::vector<double> constraints = {};  // feasible when every one is <= 0
  bool is_candidate = false;             // within the tolerance
  double seconds = 0;
  std::string reason;  // of a failed, pruned or interrupted trial
  Value details;       // anything that the objective records (scores, stages, sizes)
  bool operator==(const Trial&) const = default;
};

/// True when no constraint is violated.
[[nodiscard]] bool is_feasible(const Trial& trial);

/// What an objective is called with.
struct TrialRequest {
  Point point;
  std::int64_t number = 0;
  /// The best committed trial so far, which the new one has to beat; null without one. Like the
  /// results that a learning sampler has been told, it depends only on the number of the trial.
  std::shared_ptr<const Trial> incumbent = {};
  CancellationToken token = {};
  /// Where it runs: what Places::take() returned. Absent without places, and when there are none
  /// any more.
  std::optional<std::int64_t> place = {};
};

/// What a trial produced, of a type that the objective and `on_trial` agree on. It is not stored.
using TrialProduct = std::shared_ptr<const void>;

struct TrialSuccess {
  double value = 0;
  bool is_candidate = false;
  Value details;
  std::vector<double> objectives = {};   // all of them, `value` first, when there are several
  std::vector<double> constraints = {};  // feasible when every one is <= 0
  TrialProduct product = {};
};
/// A trial that was stopped early because it cannot become the best.
struct TrialPruned {
  std::optional<double> value = {};  // the estimate so far, if there is one
  std::string reason;
  Value details;
};
/// An expected failure: it is recorded and the search continues.
struct TrialFailure {
  std::string reason;
  Value details;
};
using TrialOutcome = std::variant<TrialSuccess, TrialFailure, TrialPruned>;
/// Runs a trial. It may throw: Cancelled makes the trial interrupted, any other exception makes it
/// failed with the exception's message. A value that is not finite is a failure too. Called from
/// several threads at once when the search has several jobs.
using Objective = std::function<TrialOutcome(const TrialRequest& request)>;

/// Thrown when the storage of a study is removed while it is in use. The search then ends and keeps
/// the results it has in memory.
class StudyRemoved : public IoError {
 public:
  using IoError::IoError;
};

/// Thrown by a shared store whose database went away and did not come back within the lease. The
/// search then ends with the results it has in memory; the trials that the database has remain.
class StudyLost : public IoError {
 public:
  using IoError::IoError;
};

/// Reads the trials that a study has, a part at a time.
class TrialPages {
 public:
  virtual ~TrialPages() = default;
  /// The next trials, in the order in which they began; none at the end.
  [[nodiscard]] virtual std::vector<Trial> next() = 0;
};

/// Stores finished trials. Implementations write each trial when it finishes, so that a killed
/// process loses at most the running trial.
class StudyStore {
 public:
  virtual ~StudyStore() = default;
  /// Trials of earlier runs of the same study, in the order of their numbers.
  [[nodiscard]] std::vector<Trial> load();
  /// Passes the trials that load() returns to `take` one by one, in the order in which they began.
  /// A database does not hold all of them in memory for that. `take` must not use the store.
  virtual void visit(const std::function<void(Trial&&)>& take) = 0;
  /// The same trials in parts, between which the store may be used. Trials that begin after this
  /// call are left out; those that run may have ended when their part is read. The object must not
  /// outlive the store.
  [[nodiscard]] virtual std::unique_ptr<TrialPages> pages();
  /// Records the start of a trial, so that progress can be watched. Trials start in the order of
  /// their numbers.
  virtual void start(const Trial& /*running*/) {}
  /// Saves a finished trial. A trial that was interrupted by the end of its search is not saved:
  /// the next search runs it again under its number.
  virtual void save(const Trial& finished) = 0;
  /// What was decided under `key`; null when nothing was. Decisions are part of the study: they
  /// hold for every process that works on it, and for those that resume it. A store that keeps none
  /// makes each process decide for itself.
  [[nodiscard]] virtual Value decision(const std::string& /*key*/) { return {}; }
  /// Decides `value`, unless something was decided under `key` before; returns what holds.
  virtual Value decide(const std::string& /*key*/, const Value& value) { return value; }
};

/// A store that several processes use at once; each trial is run by exactly one of them. When the
/// database goes away, a call waits for it as long as a lease, and throws StudyLost after that.
class SharedStudyStore : public StudyStore {
 public:
  /// What has changed since `propose`, `learn` or load() was last called.
  struct News {
    // By number; includes those of this process. A store may leave out long details.
    std::vector<Trial> finished;
    std::vector<Trial> running;  // by number; those of all processes, including this one
  };
  /// Chooses the next point; nullopt when the space is exhausted or the search should stop.
  using Propose = std::function<std::optional<Point>(const News& news)>;
  /// Takes in trials that have finished, by number.
  using Learn = std::function<void(const std::vector<Trial>& finished)>;

  /// Starts a trial and returns it, leased to this process. A trial whose lease has expired (its
  /// worker died) comes first, with its number and point. Otherwise `propose` is called with the
  /// news, and the point it chooses gets the next number. The lock of the study is held, so that no
  /// other process starts a trial at the same time. Returns nullopt when `propose` chose no point.
  /// `learn` is called before the lock is taken, because the others wait for it meanwhile; what it
  /// took in is not part of the news.
  [[nodiscard]] virtual std::optional<Trial> begin(const Propose& propose, const Learn& learn) = 0;
  /// The same where `propose` learns.
  [[nodiscard]] std::optional<Trial> begin(const Propose& propose) { return begin(propose, {}); }
  /// Like save(), but when the trial's lease has expired and another process has taken it over, it
  /// writes nothing and returns false (save() throws IoError then).
  [[nodiscard]] virtual bool finish(const Trial& finished) {
    save(finished);
    return true;
  }
  /// Extends the leases of this process's running trials. It must be called a few times within a
  /// lease and may be called while another thread is in begin() or save().
  virtual void keep_alive() = 0;
  [[nodiscard]] virtual double lease_seconds() const = 0;
  /// Adds the details that the news left out to trials that came with the news.
  virtual void complete(std::vector<Trial>& /*trials*/) {}
};
[[nodiscard]] std::unique_ptr<StudyStore> in_memory_store();

/// Proposes points. The proposals depend only on the seed and on the results told.
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// Returns the next point, normalized and never proposed before; nullopt when the space is
  /// exhausted or when the sampler is not ready.
  [[nodiscard]] virtual std::optional<Point> ask() = 0;
  /// Takes the result of a point that this sampler proposed, in the order of the proposals, or of
  /// one that an earlier search or another process ran.
  virtual void tell(const Trial& finished) = 0;
  /// In a study of several processes, before a proposal: the number that its trial will get, and
  /// the trials that run at the moment in any process. A sampler that learns counts their points as
  /// pending.
  virtual void see_running(std::int64_t /*next_number*/, const std::vector<Trial>& /*running*/) {}
  /// False when it cannot propose the next point before it is told more results of its earlier
  /// proposals.
  [[nodiscard]] virtual bool is_ready() const { return true; }
  /// True when its proposals depend on the results it was told.
  [[nodiscard]] virtual bool learns() const { return false; }
  /// True when its proposals are the same whatever it is told, by see_running() too.
  [[nodiscard]] virtual bool is_fixed() const { return false; }
  /// The number of points left; nullopt when it is unknown.
  [[nodiscard]] virtual std::optional<std::int64_t> remaining() const = 0;
};

struct SamplerOptions {
  std::uint64_t seed = 0;
  // Spaces of at most this many raw points are enumerated and ordered as a whole; larger ones are
  // walked lazily, parameter by parameter (grid) or drawn by index (random). 200 000 normalizations
  // take well under a second.
  std::int64_t enumeration_limit = 200'000;
};

/// Size of a search space.
struct SpaceSummary {
  std::int64_t raw = 0;
  std::int64_t distinct = 0;  // lower bound when not complete
  std::map<std::string, std::int64_t> filtered;
  bool complete = true;
};

/// Throws InvalidInput for a space with a range of real numbers, which a grid cannot enumerate.
void require_listed(const Space& space);
/// Proposes every distinct point once, cheap points first and points with shared stages adjacent.
/// Throws InvalidInput for a space with a range of real numbers.
[[nodiscard]] std::unique_ptr<Sampler> grid_sampler(const Space& space, Normalize normalize,
                                                    const CostModel& cost,
                                                    const SamplerOptions& options = {});
/// Draws points without replacement, weighted by 1 / expected seconds (Efraimidis & Spirakis 2006).
/// In a space with a range of real numbers the draws are uniform.
[[nodiscard]] std::unique_ptr<Sampler> random_sampler(const Space& space, Normalize normalize,
                                                      CostModel cost,
                                                      const SamplerOptions& options = {});
[[nodiscard]] SpaceSummary summarize(const Space& space, const Normalize& normalize,
                                     std::int64_t limit = 200'000);

/// A condition that is absent is off. Trials of earlier runs count; times refer to this run. The
/// conditions are checked before each trial in this order: cancellation, candidates, improvement,
/// iterations, time.
struct StopConditions {
  std::optional<std::int64_t> find_n_candidates;  // >= 1
  // >= 1: stops when the best value has not improved for this many complete trials.
  std::optional<std::int64_t> find_best_candidate;
  std::optional<std::int64_t> iteration_limit;  // >= 1: finished trials of any state
  std::optional<double> time_limit_seconds;     // also stops the running trial
  // The time limit neither stops the search before so many trials have finished, nor one of them.
  std::int64_t least_trials = 0;
  // A longer trial is interrupted, and the search continues.
  std::optional<double> trial_time_limit_seconds;
};

enum class StopReason {
  space_exhausted,
  candidates_found,
  no_improvement,
  iteration_limit,
  time_limit,
  cancelled,
  study_removed,
  study_lost
};
[[nodiscard]] std::string to_string(StopReason reason);

/// Places that run the trials of a search and keep the stages of theirs each for itself, such as
/// the nodes of a cluster. The functions are called from several threads.
struct Places {
  /// Waits for a place with capacity for a trial, and reserves it; nullopt when there are no places
  /// any more or the token is cancelled.
  std::function<std::optional<std::int64_t>(const CancellationToken& token)> take = {};
  /// Ends a reservation.
  std::function<void(std::int64_t place)> leave = {};
};

struct SearchOptions {
  Ranking goal = Goal::minimize;
  std::vector<Goal> goals = {};  // of every objective, when there are several: their front is kept
  int jobs = 1;  // trials at the same time, >= 1; with 1 the objective runs on the calling thread
  StopConditions stop = {};
  CancellationToken token = {};
  /// Called after each finished trial with its product, in the order of the numbers, and for trials
  /// interrupted by the end of the search, which have no product.
  std::function<void(const Trial& finished, const TrialProduct& product)> on_trial = {};
  /// Called before a trial starts. All these callbacks run on the thread of optimize().
  std::function<void(std::int64_t number, const Point& point)> on_start = {};
  /// Called with each trial that the study has when the search begins, running ones included, as it
  /// is read; then `on_earlier_end` once, before the first trial of this search starts.
  std::function<void(const Trial& earlier)> on_earlier = {};
  std::function<void()> on_earlier_end = {};
  std::function<Clock::time_point()> now = [] { return Clock::now(); };
  std::optional<Clock::time_point> start = {};  // of the time limit; absent: the call
  /// Where trials run, when there are several places. Each gets those whose stages it has computed
  /// as far as there are such among the waiting ones; `cost` tells their stages.
  std::optional<Places> places = {};
  CostModel cost = {};
  /// The number of trials per job by which a sampler that does not learn may be ahead of the oldest
  /// running trial. With more there are more to choose from, incumbents are older, and more trials
  /// are superfluous when a count ends the search.
  std::int64_t ahead_per_job = 4;
};

struct Study {
  // By number. Of more than KeptTrials::Bounds has room for they are a part, which the best and the
  // candidates are among; `trials_in_all` is their number then.
  std::vector<Trial> trials;
  std::optional<std::int64_t> trials_in_all = {};
  // Number of the best complete trial within the limits, by TrialOrder.
  std::optional<std::int64_t> best;
  std::vector<std::int64_t> candidates;  // numbers, best first
  StopReason stop_reason = StopReason::space_exhausted;
  std::string stop_message;  // with both numbers: "iteration limit reached: 10 of 10 trials"
  double seconds = 0;        // of this run
};

/// Runs trials until a stop condition holds or the sampler is exhausted. Points that are already in
/// the store are not run again: the sampler is told their results when it proposes them, so that a
/// resumed search continues as if it had never stopped.
///
/// With several jobs the result does not depend on how long each trial takes: finished trials are
/// counted, told and reported in the order of their numbers, and a learning sampler is asked for
/// trial n when it has been told exactly the trials up to n - (2 jobs - 1) (one that does not learn
/// may be further ahead, by `ahead_per_job`). Trials that are still running when a count ends the
/// search are stopped and left out. Throws InvalidInput for a stop condition or number of jobs out
/// of range, and passes on what the store or a callback throws.
[[nodiscard]] Study optimize(Sampler& sampler, const Objective& objective,
                             const SearchOptions& options, StudyStore& store);

/// The same for one of several processes that work on one study. The order of the trials depends on
/// the timing of the processes; each trial is run by one of them. The sampler is told the trials of
/// all processes, and the stop conditions count all of them. `jobs` refers to this process. Throws
/// as optimize() does.
[[nodiscard]] Study optimize_shared(Sampler& sampler, const Objective& objective,
                                    const SearchOptions& options, SharedStudyStore& store);

}  // namespace quantsearch
