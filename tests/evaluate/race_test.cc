// Candidates are scored sample by sample in a shared order, so that their evaluation can end early.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "evaluate/run_order.h"
#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

Model multiplied(float scale, std::int64_t batch = -1) {
  testing::ModelBuilder builder;
  builder.input("x", {batch, 4});
  builder.weight("scale", {1}, {scale});
  builder.output(builder.node("Mul", {"x", "scale"}, {}, "y"), {batch, 4});
  return builder.build();
}

std::shared_ptr<const DataSource> data(std::int64_t samples) {
  return in_memory_data({{"x", testing::random_tensor({samples, 4}, 5, 0.1F, 1)}});
}

Reference labelled_reference(std::int64_t samples, std::int64_t batch) {
  ThreadPool pool(1);
  return {multiplied(1), data(samples),       Labels(static_cast<std::size_t>(samples), 1),
          pool,          ByteBudget(1 << 24), {.batch = batch}};
}

TEST(RunOrder, HoldsEverySampleOnceAndTheShortRunLast) {
  const RunOrder order(23, 5);
  std::set<std::int64_t> samples;
  bool moved = false;
  for (std::int64_t position = 0; position < 23; ++position) {
    samples.insert(order.sample_at(position));
    if (order.sample_at(position) != position) moved = true;
    if (position % 5 != 0) {
      EXPECT_EQ(order.sample_at(position), order.sample_at(position - 1) + 1);
    }
  }
  EXPECT_EQ(samples.size(), 23U);
  EXPECT_TRUE(moved);
  EXPECT_EQ(order.sample_at(20), 20);
}

TEST(Race, ToTheEndGivesTheScoresOfAnEvaluationWithoutRace) {
  for (const std::int64_t batch : {1, 4, 7}) {
    const Reference reference = labelled_reference(40, batch);
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      const std::vector<Metric> metrics = {Metric::l2, Metric::cos, Metric::top1, Metric::rel_l2};
      const Scores plain = evaluate(multiplied(1.5F), reference, pool, {.metrics = metrics});
      const Scores raced = evaluate(multiplied(1.5F), reference, pool,
                                    {.metrics = metrics, .losses_of = Metric::l2});
      EXPECT_EQ(raced.metrics, plain.metrics);
      EXPECT_FALSE(raced.gave_up);
      ASSERT_EQ(raced.losses.size(), 40U);
      EXPECT_NEAR(std::accumulate(raced.losses.begin(), raced.losses.end(), 0.0) / 40,
                  plain.metrics.at("L2"), 1e-12);
    }
  }
}

TEST(Race, ACandidateThatCannotStackSamplesRacesInTheSameOrder) {
  const Reference reference = labelled_reference(20, 4);
  ThreadPool pool(2);
  const EvaluateOptions options{.metrics = {Metric::l2}, .losses_of = Metric::l2};
  EXPECT_EQ(evaluate(multiplied(2, 1), reference, pool, options).losses,
            evaluate(multiplied(2), reference, pool, options).losses);
}

TEST(Race, NegatesMetricsToMaximizeAndCountsAMissAsOne) {
  const Reference reference = labelled_reference(16, 1);
  ThreadPool pool(1);
  const Scores cosine = evaluate(multiplied(-1), reference, pool,
                                 {.metrics = {Metric::cos}, .losses_of = Metric::cos});
  // The vectors point in opposite directions.
  for (const double loss : cosine.losses) EXPECT_NEAR(loss, 1, 1e-6);
  const Scores top = evaluate(multiplied(1), reference, pool,
                              {.metrics = {Metric::top1}, .losses_of = Metric::top1});
  EXPECT_EQ(std::ranges::count(top.losses, 0.0) + std::ranges::count(top.losses, 1.0), 16);
  EXPECT_NEAR(1 - std::accumulate(top.losses.begin(), top.losses.end(), 0.0) / 16,
              top.metrics.at("top1"), 1e-12);
}

TEST(Race, EndsWhenAskedWithTheSameLossesForAnyThreads) {
  const Reference reference = labelled_reference(60, 1);
  std::vector<double> first;
  for (const int threads : {1, 2, 8}) {
    ThreadPool pool(threads);
    std::vector<double> seen;
    const auto go_on = [&](std::span<const double> losses) {
      seen.insert(seen.end(), losses.begin(), losses.end());
      return seen.size() < 20;
    };
    const Scores scores =
        evaluate(multiplied(3), reference, pool,
                 {.metrics = {Metric::l2}, .losses_of = Metric::l2, .go_on = go_on});
    EXPECT_TRUE(scores.gave_up);
    EXPECT_TRUE(scores.metrics.empty());
    EXPECT_EQ(scores.losses, seen);
    EXPECT_LT(seen.size(), 60U);
    if (first.empty()) first = seen;
    const std::size_t common = std::min(first.size(), seen.size());
    EXPECT_TRUE(std::equal(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(common),
                           first.begin()));
  }
}

TEST(Race, RefusesAMetricWithoutLosses) {
  const Reference reference = labelled_reference(8, 1);
  ThreadPool pool(1);
  EXPECT_FALSE(has_losses(Metric::rel_l2));
  EXPECT_THROW((void)evaluate(multiplied(1), reference, pool,
                              {.metrics = {Metric::rel_l2}, .losses_of = Metric::rel_l2}),
               InternalError);
  EXPECT_THROW((void)evaluate(multiplied(1), reference, pool,
                              {.metrics = {Metric::l2}, .losses_of = Metric::cos}),
               InternalError);
}

}  // namespace
}  // namespace quantsearch
