#pragma once

// A search on many machines in simulated time: workers take trials from one study in a database,
// run their stages and store the results, as processes of a shared study do. The sampler is real;
// the trials, the database and the failures are simulated. The same inputs give the same report.
//
// The model of a trial:
//  1. The process reads what has changed since its last trial (one transaction, its cost grows with
//     the trials that began or ended) and tells the sampler of it.
//  2. It takes the lock of the study, takes over a trial whose lease is over or asks the sampler,
//     which takes time that grows with the finished trials, and writes the trial.
//  3. It runs the stages. A stage that its node has computed costs nothing; one that another worker
//     of the node computes at the moment is waited for. Nodes share nothing.
//  4. It stores the result.
// A node that fails loses its running trials and its computed stages, and returns after a while.
// Its trials can be taken over when the leases, which it renewed four times in each, are over.

#include <cstdint>
#include <optional>
#include <vector>

#include "quantsearch/optimizers.h"
#include "scale/simulation.h"

namespace quantsearch {

struct StageWork {
  std::uint64_t key = 0;
  double seconds = 0;
};

/// What the trials of a search consist of.
class Workload {
 public:
  virtual ~Workload() = default;
  /// The stages of a trial in their order. Stages with the same key are the same work.
  [[nodiscard]] virtual std::vector<StageWork> stages_of(std::int64_t number,
                                                         const Coordinates& point) const = 0;
  [[nodiscard]] virtual double value_of(const Coordinates& point) const = 0;
};

struct NodeFailure {
  int node = 0;
  double at = 0;  // seconds
};

struct ClusterOptions {
  int nodes = 1;
  int workers = 1;  // of each node; they share a process
  std::int64_t trials = 100;
  double lease_seconds = 60;
  int database_cores = 2;
  double round_trip_seconds = 0.0005;
  double transaction_seconds = 0.0003;  // of the server's processor
  double row_seconds = 1e-6;            // of the server's processor, for each changed trial read
  double commit_seconds = 0.002;        // until a result is on disk
  double ask_seconds = 0;
  double ask_seconds_per_trial = 0;  // more for each finished trial
  double tell_seconds = 0;           // for each finished trial that the process did not know
  // A worker without a trial looks again after the first pause, then after twice as long each time.
  double first_pause_seconds = 0.25;
  double longest_pause_seconds = 4;
  double repair_seconds = 300;
  std::vector<NodeFailure> failures = {};
};

struct ClusterReport {
  double makespan = 0;
  std::int64_t finished = 0;
  std::int64_t taken_over = 0;
  double lost_seconds = 0;       // worked on trials that were lost with their node
  double stage_seconds = 0;      // computed
  double duplicate_seconds = 0;  // of them, computed before on another node or before a failure
  double idle_seconds = 0;       // of all workers: not in a trial, while the node lives
  QueueTotals database;
  QueueTotals lock;
  std::optional<double> best;
};

[[nodiscard]] ClusterReport simulate(Optimizer& sampler, const Workload& workload,
                                     const ClusterOptions& options);

/// Returns failures of nodes at random: the time between two failures of a node is exponential
/// with this mean.
[[nodiscard]] std::vector<NodeFailure> random_failures(int nodes, double mean_seconds,
                                                       double until_seconds, std::uint64_t seed);

}  // namespace quantsearch
