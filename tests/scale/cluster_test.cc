// Small searches whose times are computed by hand. Unless a test says so, the database, the sampler
// and the network take no time.

#include "scale/cluster.h"

#include <gtest/gtest.h>

#include <memory>

namespace quantsearch {
namespace {

Domain line() { return {.dimensions = {FloatRange{.low = 0, .high = 1}}}; }

class Stages final : public Workload {
 public:
  explicit Stages(std::vector<std::vector<StageWork>> of_trial) : of_trial_(std::move(of_trial)) {}
  std::vector<StageWork> stages_of(std::int64_t number,
                                   const Coordinates& /*point*/) const override {
    return of_trial_[static_cast<std::size_t>(number)];
  }
  double value_of(const Coordinates& point) const override { return point[0]; }

 private:
  std::vector<std::vector<StageWork>> of_trial_;
};

ClusterOptions free_of_cost(int nodes, int workers, std::int64_t trials) {
  return {.nodes = nodes,
          .workers = workers,
          .trials = trials,
          .round_trip_seconds = 0,
          .transaction_seconds = 0,
          .row_seconds = 0,
          .commit_seconds = 0,
          .longest_pause_seconds = 0.25};
}

ClusterReport run(const Stages& stages, const ClusterOptions& options) {
  return simulate(*random_optimizer(line(), {.seed = 1}), stages, options);
}

TEST(Cluster, TwoWorkersShareThreeTrials) {
  const Stages stages({{{1, 10}}, {{2, 4}}, {{3, 5}}});
  const ClusterReport report = run(stages, free_of_cost(2, 1, 3));
  EXPECT_DOUBLE_EQ(report.makespan, 10);  // 10 beside 4 + 5
  EXPECT_EQ(report.finished, 3);
  EXPECT_DOUBLE_EQ(report.stage_seconds, 19);
  EXPECT_DOUBLE_EQ(report.idle_seconds, 1);
  EXPECT_DOUBLE_EQ(report.duplicate_seconds, 0);
  EXPECT_EQ(report.taken_over, 0);
}

TEST(Cluster, ATrialOfALostNodeIsTakenOverAfterItsLease) {
  const Stages stages({{{1, 10}}, {{2, 4}}, {{3, 5}}});
  ClusterOptions options = free_of_cost(2, 1, 3);
  options.failures = {{.node = 1, .at = 2}};
  const ClusterReport report = run(stages, options);
  // The other worker is done at 15, looks every 0.25 s, takes trial 1 over at 60 and works for 4 s.
  EXPECT_DOUBLE_EQ(report.makespan, 64);
  EXPECT_EQ(report.finished, 3);
  EXPECT_EQ(report.taken_over, 1);
  EXPECT_DOUBLE_EQ(report.lost_seconds, 2);
  EXPECT_DOUBLE_EQ(report.idle_seconds, 45);
  EXPECT_DOUBLE_EQ(report.duplicate_seconds, 4);  // stage 2 was begun before
}

TEST(Cluster, PausesOfAWorkerWithoutATrialDouble) {
  const Stages stages({{{1, 10}}, {{2, 4}}});
  ClusterOptions options = free_of_cost(2, 1, 2);
  options.longest_pause_seconds = 2;
  // Six transactions of the two trials; looks at 4, 4.25, 4.75, 5.75, 7.75 and 9.75.
  EXPECT_EQ(run(stages, options).database.requests, 6 + 6);
}

TEST(Cluster, ARepairedNodeGoesOnWithoutItsStages) {
  const Stages stages({{{1, 10}, {2, 1}}, {{1, 10}, {3, 1}}});
  ClusterOptions options = free_of_cost(1, 1, 2);
  options.failures = {{.node = 0, .at = 12}};
  options.lease_seconds = 8;
  options.repair_seconds = 20;
  const ClusterReport report = run(stages, options);
  // Trial 0 ends at 11, trial 1 would at 12, which is the moment of the failure, and it was asked
  // for first; from 32 on it is run again, stage 1 included.
  EXPECT_DOUBLE_EQ(report.makespan, 43);
  EXPECT_DOUBLE_EQ(report.duplicate_seconds, 10 + 1);
  EXPECT_DOUBLE_EQ(report.lost_seconds, 1);
  EXPECT_EQ(report.taken_over, 1);
}

TEST(Cluster, AStageIsSharedWithinANodeOnly) {
  const Stages stages({{{7, 6}, {1, 1}}, {{7, 6}, {2, 2}}});
  const ClusterReport one = run(stages, free_of_cost(1, 2, 2));
  EXPECT_DOUBLE_EQ(one.makespan, 8);
  EXPECT_DOUBLE_EQ(one.stage_seconds, 9);
  EXPECT_DOUBLE_EQ(one.duplicate_seconds, 0);
  const ClusterReport two = run(stages, free_of_cost(2, 1, 2));
  EXPECT_DOUBLE_EQ(two.makespan, 8);
  EXPECT_DOUBLE_EQ(two.stage_seconds, 15);
  EXPECT_DOUBLE_EQ(two.duplicate_seconds, 6);
}

TEST(Cluster, ProposalsWaitForEachOther) {
  const Stages stages({{{1, 5}}, {{2, 5}}});
  ClusterOptions options = free_of_cost(2, 1, 2);
  options.ask_seconds = 1;
  const ClusterReport report = run(stages, options);
  EXPECT_DOUBLE_EQ(report.makespan, 7);
  EXPECT_DOUBLE_EQ(report.lock.waiting_seconds, 1);
}

TEST(Cluster, AnAskGrowsWithTheFinishedTrialsAndTellsTheNewOnes) {
  const Stages stages({{{1, 5}}, {{2, 5}}, {{3, 5}}});
  ClusterOptions options = free_of_cost(1, 1, 3);
  options.ask_seconds = 1;
  options.ask_seconds_per_trial = 0.5;
  options.tell_seconds = 0.25;
  // Asks of 1, 1.75 and 2.25 seconds: one more trial is known each time.
  EXPECT_DOUBLE_EQ(run(stages, options).makespan, 15 + 1 + 1.75 + 2.25);
}

TEST(Cluster, ATrialIsThreeTransactions) {
  const Stages stages({{{1, 5}}, {{2, 5}}});
  ClusterOptions options = free_of_cost(1, 1, 2);
  options.transaction_seconds = 0.5;
  options.round_trip_seconds = 0.25;
  options.commit_seconds = 0.125;
  options.row_seconds = 0.0625;
  const ClusterReport report = run(stages, options);
  // The second trial reads that the first began and ended.
  EXPECT_DOUBLE_EQ(report.makespan, 2 * (3 * 0.75 + 0.125 + 5) + 2 * 0.0625);
  EXPECT_EQ(report.database.requests, 6);
  EXPECT_DOUBLE_EQ(report.database.busy_seconds, 6 * 0.5 + 2 * 0.0625);
}

TEST(Cluster, EndsWhenTheDomainHasNoOtherPoints) {
  const Stages stages({{{1, 5}}, {{2, 5}}});
  const auto sampler = random_optimizer({.dimensions = {Categories{.count = 2}}}, {.seed = 1});
  const ClusterReport report = simulate(*sampler, stages, free_of_cost(2, 1, 100));
  EXPECT_EQ(report.finished, 2);
  EXPECT_DOUBLE_EQ(report.makespan, 5);
}

TEST(Cluster, TheSameInputsGiveTheSameReport) {
  std::vector<std::vector<StageWork>> work;
  for (std::uint64_t trial = 0; trial < 60; ++trial)
    work.push_back({{trial % 7, 3}, {100 + trial, 1 + static_cast<double>(trial % 5)}});
  const Stages stages(work);
  ClusterOptions options = {.nodes = 3, .workers = 2, .trials = 60, .repair_seconds = 5};
  options.failures = random_failures(3, 30, 200, 9);
  const auto once = [&] { return simulate(*tpe_optimizer(line(), {.seed = 1}), stages, options); };
  const ClusterReport report = once();
  EXPECT_EQ(report.finished, 60);
  EXPECT_GT(report.taken_over, 0);
  EXPECT_EQ(report.makespan, once().makespan);
  EXPECT_EQ(report.best, once().best);
  EXPECT_EQ(report.database.waiting_seconds, once().database.waiting_seconds);
}

TEST(RandomFailures, HaveTheirMeanTime) {
  const auto failures = random_failures(100, 50, 5000, 4);
  EXPECT_NEAR(static_cast<double>(failures.size()), 100 * 100, 300);
  EXPECT_NE(failures[0].at, random_failures(100, 50, 5000, 5)[0].at);
}

}  // namespace
}  // namespace quantsearch
