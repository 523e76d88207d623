#include "scale/cluster.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "quantsearch/base/random.h"

namespace quantsearch {

namespace {

constexpr double kBeatsPerLease = 4;

struct Node {
  int life = 0;  // grows with each failure
  bool is_alive = true;
  double failed_at = 0;
  double last_beat = 0;
  std::int64_t changes_seen = 0;
  std::int64_t finished_told = 0;
  // Stages that are computed or being computed; the latter with those that wait for them.
  struct Stage {
    bool is_done = false;
    std::vector<Callback> waiting;
  };
  std::unordered_map<std::uint64_t, Stage> stages;
};

/// A trial in the database that has not ended.
struct Running {
  Coordinates point;
  int node = 0;
  int life = 0;
  double began = 0;
  double expires = 0;  // its lease, once its node has failed
};

/// A worker in one life of its node. Callbacks of an earlier life do nothing.
struct Worker {
  int node = 0;
  int life = 0;
  double pause = 0;  // seconds until it looks again for a trial
};

class Cluster {
 public:
  Cluster(Optimizer& sampler, const Workload& workload, const ClusterOptions& options)
      : sampler_(sampler),
        workload_(workload),
        options_(options),
        database_(simulation_, options.database_cores),
        lock_(simulation_),
        nodes_(static_cast<std::size_t>(options.nodes)) {}

  ClusterReport run() {
    for (int node = 0; node < options_.nodes; ++node) start(node);
    for (const NodeFailure& failure : options_.failures)
      simulation_.after(failure.at, [this, node = failure.node] { fail(node); });
    simulation_.run();
    report_.database = database_.totals();
    report_.lock = lock_.totals();
    for (const Node& node : nodes_) {
      if (!node.is_alive) down_seconds_ += options_.workers * (report_.makespan - node.failed_at);
    }
    const double workers = static_cast<double>(options_.nodes) * options_.workers;
    report_.idle_seconds =
        workers * report_.makespan - down_seconds_ - trial_seconds_ - report_.lost_seconds;
    return report_;
  }

 private:
  Node& node_of(const Worker& worker) { return nodes_[static_cast<std::size_t>(worker.node)]; }
  bool is_current(const Worker& worker) { return node_of(worker).life == worker.life; }

  void start(int index) {
    Node& node = nodes_[static_cast<std::size_t>(index)];
    if (!node.is_alive) down_seconds_ += options_.workers * (simulation_.now() - node.failed_at);
    node.is_alive = true;
    node.last_beat = simulation_.now();
    const Worker worker{.node = index, .life = node.life};
    for (int i = 0; i < options_.workers; ++i) refresh(worker);
    simulation_.after(options_.lease_seconds / kBeatsPerLease, [this, worker] { beat(worker); });
  }

  void fail(int index) {
    Node& node = nodes_[static_cast<std::size_t>(index)];
    if (!node.is_alive) return;
    const Worker dead{.node = index, .life = node.life};
    ++node.life;
    node.is_alive = false;
    node.stages.clear();
    node.changes_seen = 0;
    node.finished_told = 0;
    node.failed_at = simulation_.now();
    for (auto& [number, trial] : running_) {
      if (trial.node != dead.node || trial.life != dead.life) continue;
      trial.expires = node.last_beat + options_.lease_seconds;
      orphans_.insert(number);
      report_.lost_seconds += simulation_.now() - trial.began;
    }
    simulation_.after(options_.repair_seconds, [this, index] { start(index); });
  }

  void beat(const Worker& worker) {
    if (!is_current(worker)) return;
    transaction(0, [this, worker] {
      if (is_current(worker)) node_of(worker).last_beat = simulation_.now();
    });
    simulation_.after(options_.lease_seconds / kBeatsPerLease, [this, worker] { beat(worker); });
  }

  /// A transaction that costs the server so many seconds more than the least.
  void transaction(double more_seconds, Callback done) {
    simulation_.after(options_.round_trip_seconds, [this, more_seconds, done = std::move(done)] {
      database_.serve(options_.transaction_seconds + more_seconds, done);
    });
  }

  void refresh(const Worker& worker) {
    if (!is_current(worker)) return;
    Node& node = node_of(worker);
    const auto news = static_cast<double>(changes_ - node.changes_seen);
    node.changes_seen = changes_;
    transaction(news * options_.row_seconds, [this, worker] { learn(worker); });
  }

  /// Tells the sampler what is new, and waits for the lock then.
  void learn(const Worker& worker) {
    if (!is_current(worker)) return;
    Node& node = node_of(worker);
    const auto news = static_cast<double>(report_.finished - node.finished_told);
    node.finished_told = report_.finished;
    simulation_.after(options_.tell_seconds * news, [this, worker] {
      if (is_current(worker)) lock_.acquire([this, worker] { choose(worker); });
    });
  }

  /// Holds the lock: takes a trial over, proposes one, or has nothing to do.
  void choose(const Worker& worker) {
    if (!is_current(worker)) return lock_.release();
    if (const auto expired = first_expired()) {
      ++report_.taken_over;
      return write(worker, *expired, running_.at(*expired).point);
    }
    if (begun_ == options_.trials) {
      lock_.release();
      return look_again(worker);
    }
    const std::int64_t number = begun_;
    const std::optional<Coordinates> point = sampler_.ask(number, pending_);
    if (!point) {
      options_.trials = begun_;  // the domain has no other points
      lock_.release();
      return look_again(worker);
    }
    ++begun_;
    pending_.push_back({.number = number, .at = *point});
    const double seconds = options_.ask_seconds +
                           options_.ask_seconds_per_trial * static_cast<double>(report_.finished);
    simulation_.after(seconds, [this, worker, number, point] { write(worker, number, *point); });
  }

  void look_again(Worker worker) {
    if (report_.finished == options_.trials) return simulation_.stop();
    worker.pause = worker.pause == 0 ? options_.first_pause_seconds
                                     : std::min(2 * worker.pause, options_.longest_pause_seconds);
    simulation_.after(worker.pause, [this, worker] { refresh(worker); });
  }

  [[nodiscard]] std::optional<std::int64_t> first_expired() const {
    for (const std::int64_t number : orphans_) {
      if (running_.at(number).expires <= simulation_.now()) return number;
    }
    return std::nullopt;
  }

  /// Writes the trial as running and frees the lock. The trial of a worker that has died since it
  /// took the lock waits for the end of its lease as any other.
  void write(const Worker& worker, std::int64_t number, Coordinates point) {
    orphans_.erase(number);
    Running& trial = running_[number];
    trial = {.point = std::move(point),
             .node = worker.node,
             .life = worker.life,
             .began = simulation_.now()};
    if (!is_current(worker)) {
      trial.expires = node_of(worker).last_beat + options_.lease_seconds;
      orphans_.insert(number);
    }
    transaction(0, [this, worker, number] {
      lock_.release();
      ++changes_;
      if (is_current(worker))
        run_stages(worker, number, workload_.stages_of(number, running_.at(number).point), 0);
    });
  }

  void run_stages(const Worker& worker, std::int64_t number, const std::vector<StageWork>& stages,
                  std::size_t next) {
    if (!is_current(worker)) return;
    if (next == stages.size()) return finish(worker, number);
    const auto proceed = [this, worker, number, stages, next] {
      run_stages(worker, number, stages, next + 1);
    };
    const StageWork& work = stages[next];
    const auto [place, is_new] = node_of(worker).stages.try_emplace(work.key);
    if (!is_new && place->second.is_done) return proceed();
    if (!is_new) return place->second.waiting.push_back(proceed);
    report_.stage_seconds += work.seconds;
    if (!computed_.insert(work.key).second) report_.duplicate_seconds += work.seconds;
    simulation_.after(work.seconds, [this, worker, key = work.key, proceed] {
      if (!is_current(worker)) return;
      Node::Stage& stage = node_of(worker).stages.at(key);
      stage.is_done = true;
      const std::vector<Callback> waiting = std::exchange(stage.waiting, {});
      proceed();
      for (const Callback& callback : waiting) callback();
    });
  }

  void finish(const Worker& worker, std::int64_t number) {
    transaction(0, [this, worker, number] {
      simulation_.after(options_.commit_seconds, [this, worker, number] {
        if (!is_current(worker)) return;
        end(number);
        if (report_.finished == options_.trials) return simulation_.stop();
        refresh({.node = worker.node, .life = worker.life});
      });
    });
  }

  void end(std::int64_t number) {
    const Running trial = std::move(running_.extract(number).mapped());
    ++changes_;
    ++report_.finished;
    report_.makespan = simulation_.now();
    trial_seconds_ += simulation_.now() - trial.began;
    std::erase_if(pending_, [&](const Pending& one) { return one.number == number; });
    const double value = workload_.value_of(trial.point);
    sampler_.tell({.number = number, .at = trial.point, .objectives = {value}});
    report_.best = std::min(report_.best.value_or(value), value);
  }

  Optimizer& sampler_;
  const Workload& workload_;
  ClusterOptions options_;
  Simulation simulation_;
  Server database_;
  Lock lock_;
  std::vector<Node> nodes_;
  std::map<std::int64_t, Running> running_;  // by number
  std::set<std::int64_t> orphans_;           // those of nodes that failed
  std::vector<Pending> pending_;             // those that the sampler proposed
  std::unordered_set<std::uint64_t> computed_;
  std::int64_t begun_ = 0;
  std::int64_t changes_ = 0;  // trials that began or ended
  double trial_seconds_ = 0;  // of finished trials
  double down_seconds_ = 0;   // of all workers
  ClusterReport report_;
};

}  // namespace

ClusterReport simulate(Optimizer& sampler, const Workload& workload,
                       const ClusterOptions& options) {
  return Cluster(sampler, workload, options).run();
}

std::vector<NodeFailure> random_failures(int nodes, double mean_seconds, double until_seconds,
                                         std::uint64_t seed) {
  std::vector<NodeFailure> failures;
  for (int node = 0; node < nodes; ++node) {
    RandomStream random(seed, node, "failure");
    double at = 0;
    while ((at -= mean_seconds * std::log1p(-random.uniform())) < until_seconds)
      failures.push_back({.node = node, .at = at});
  }
  return failures;
}

}  // namespace quantsearch
