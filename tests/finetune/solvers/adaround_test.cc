#include "finetune/solvers/adaround.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "finetune/solvers/problems.h"
#include "quantsearch/base/error.h"

namespace quantsearch::reconstruction {
namespace {

AdaRoundOptions quick_adaround() {
  return {.descent = {.iterations = 300, .learning_rate = 0.1, .batch_size = 2, .seed = 7}};
}

TEST(AdaRound, LowersTheErrorOfItsCodes) {
  ThreadPool pool(2);
  for (const LayerShape& shape : {LayerShape{1, 12, 30}, {6, 1, 9}, {2, 3, 8}}) {
    const Problem problem = make_problem({.shape = shape, .count = 1600});
    const SplitSamples samples(problem, 40);
    for (const Activation::Kind kind : {Activation::Kind::none, Activation::Kind::relu}) {
      AdaRoundOptions options = quick_adaround();
      options.descent.loss.activation.kind = kind;
      const DescentResult result = adaround(problem.layer, samples, options, pool);
      EXPECT_LT(result.error_after, 0.8 * result.error_before);
      EXPECT_EQ(result.iterations, 300);
      EXPECT_EQ(result.solution.scales, problem.layer.grid.scales);
      EXPECT_EQ(result.solution.bias, problem.layer.bias);
    }
  }
}

TEST(AdaRound, RoundsEachWeightUpOrDown) {
  ThreadPool pool(1);
  const Problem problem = small_problem();
  const SplitSamples samples(problem, 40);
  const DescentResult result = adaround(problem.layer, samples, quick_adaround(), pool);
  int moved = 0;
  for (std::size_t at = 0; at < problem.layer.values.size(); ++at) {
    const float scaled = problem.layer.values[at] / problem.layer.grid.scales[at / 30];
    const auto below = static_cast<std::int32_t>(std::floor(scaled));
    const std::int32_t code = result.solution.codes[at];
    EXPECT_TRUE(code == below || code == below + 1 || code == 7);
    moved += code == round_to_nearest(problem.layer).codes[at] ? 0 : 1;
  }
  EXPECT_GT(moved, 0);
}

TEST(AdaRound, ErrorsAreThoseOfTheColumns) {
  ThreadPool pool(1);
  const Problem problem = small_problem();
  const Moments moments = moments_of(problem, pool);
  const SplitSamples samples(problem, 40);
  const DescentResult result = adaround(problem.layer, samples, quick_adaround(), pool);
  EXPECT_NEAR(result.error_before,
              relative_error(slow_row_errors(problem, round_to_nearest(problem.layer)), moments),
              1e-6);
  EXPECT_NEAR(result.error_after,
              relative_error(slow_row_errors(problem, result.solution), moments), 1e-6);
}

TEST(AdaRound, OnMomentsLowersTheError) {
  ThreadPool pool(2);
  const Problem problem = small_problem();
  const Moments moments = moments_of(problem, pool);
  const DescentResult result = adaround(problem.layer, moments, quick_adaround(), pool);
  EXPECT_LT(result.error_after, 0.7 * result.error_before);
  EXPECT_NEAR(result.error_after,
              relative_error(slow_row_errors(problem, result.solution), moments), 1e-5);
}

TEST(AdaRound, GivesTheSameBytesForAnyThreadCountAndForKeptColumns) {
  ThreadPool one(1);
  ThreadPool three(3);
  for (const LayerShape& shape : {LayerShape{1, 70, 20}, {20, 1, 9}}) {
    const Problem problem = make_problem({.shape = shape, .count = 400});
    AdaRoundOptions options = quick_adaround();
    options.descent.iterations = 60;
    options.descent.batch_size = 1;
    const DescentResult first = adaround(problem.layer, SplitSamples(problem, 10), options, one);
    const DescentResult second = adaround(problem.layer, SplitSamples(problem, 10), options, three);
    const DescentResult third =
        adaround(problem.layer, SplitSamples(problem, 10, true), options, three);
    EXPECT_EQ(first.solution.codes, second.solution.codes);
    EXPECT_EQ(first.error_after, second.error_after);
    EXPECT_EQ(first.solution.codes, third.solution.codes);
    EXPECT_EQ(first.error_after, third.error_after);
  }
}

TEST(AdaRound, GivesTheSameCodesOnlyForTheSameSeed) {
  ThreadPool pool(1);
  const Problem problem = small_problem();
  const SplitSamples samples(problem, 40);
  AdaRoundOptions options = quick_adaround();
  const DescentResult first = adaround(problem.layer, samples, options, pool);
  EXPECT_EQ(adaround(problem.layer, samples, options, pool).solution.codes, first.solution.codes);
  options.descent.seed = 8;
  EXPECT_NE(adaround(problem.layer, samples, options, pool).solution.codes, first.solution.codes);
}

TEST(AdaRound, EveryOptionChangesTheResult) {
  ThreadPool pool(1);
  const Problem problem = small_problem();
  const SplitSamples samples(problem, 40);
  const auto codes = [&](const auto& change) {
    AdaRoundOptions options = quick_adaround();
    change(options);
    return adaround(problem.layer, samples, options, pool).solution.codes;
  };
  const auto plain = codes([](AdaRoundOptions&) {});
  EXPECT_NE(codes([](AdaRoundOptions& o) { o.descent.iterations = 100; }), plain);
  EXPECT_NE(codes([](AdaRoundOptions& o) { o.descent.learning_rate = 0.01; }), plain);
  EXPECT_NE(codes([](AdaRoundOptions& o) { o.descent.schedule = LearningSchedule::cosine; }),
            plain);
  EXPECT_NE(codes([](AdaRoundOptions& o) { o.descent.batch_size = 4; }), plain);
  EXPECT_NE(codes([](AdaRoundOptions& o) { o.regularization = 1; }), plain);
  EXPECT_NE(codes([](AdaRoundOptions& o) { o.beta_start = 3; }), plain);
  EXPECT_NE(codes([](AdaRoundOptions& o) { o.beta_end = 10; }), plain);
  EXPECT_NE(codes([](AdaRoundOptions& o) { o.warm_start = 0.9; }), plain);
  EXPECT_NE(
      codes([](AdaRoundOptions& o) { o.descent.loss.activation.kind = Activation::Kind::relu; }),
      plain);
  EXPECT_NE(codes([](AdaRoundOptions& o) {
              o.descent.loss.grid = OutputGrid{.scale = 0.5F, .zero_point = 0, .limits = {-7, 7}};
            }),
            plain);
}

TEST(AdaRound, StopsEarlyWithTheBestCheckedCodes) {
  ThreadPool pool(1);
  const Problem problem = small_problem();
  const SplitSamples samples(problem, 40);
  AdaRoundOptions options = quick_adaround();
  options.descent.iterations = 3000;
  options.descent.early_stop = true;
  options.descent.window = 20;
  const DescentResult stopped = adaround(problem.layer, samples, options, pool);
  EXPECT_LT(stopped.iterations, 3000);
  EXPECT_EQ(stopped.iterations % 20, 0);
  EXPECT_LT(stopped.error_after, stopped.error_before);
  options.descent.patience = 100;
  const DescentResult patient = adaround(problem.layer, samples, options, pool);
  EXPECT_GT(patient.iterations, stopped.iterations);
  EXPECT_LE(patient.error_after, stopped.error_after);
}

TEST(AdaRound, StopsWhenCancelled) {
  ThreadPool pool(2);
  const Problem problem = small_problem();
  const CancellationToken token;
  token.cancel();
  EXPECT_THROW(
      (void)adaround(problem.layer, SplitSamples(problem, 40), quick_adaround(), pool, token),
      Cancelled);
}

TEST(AdaRound, RejectsOptionsOutOfBounds) {
  ThreadPool pool(1);
  const Problem problem = small_problem();
  const SplitSamples samples(problem, 40);
  const auto message = [&](const auto& change) {
    AdaRoundOptions options = quick_adaround();
    change(options);
    try {
      (void)adaround(problem.layer, samples, options, pool);
    } catch (const InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_EQ(message([](AdaRoundOptions& o) { o.descent.iterations = 0; }),
            "finetune: NumIterations is 0, expected 1 or more");
  EXPECT_EQ(message([](AdaRoundOptions& o) { o.descent.learning_rate = 0; }),
            "finetune: LearningRate is 0, expected a finite number above 0");
  EXPECT_EQ(message([](AdaRoundOptions& o) { o.descent.batch_size = 41; }),
            "finetune: BatchSize is 41, expected 1 to the number of samples, 40");
  EXPECT_EQ(message([](AdaRoundOptions& o) { o.beta_end = 0.5; }),
            "finetune: an end of BetaRange is 0.5, expected a finite number of at least 1");
  EXPECT_EQ(message([](AdaRoundOptions& o) { o.warm_start = 1.5; }),
            "finetune: WarmStart is 1.5, expected 0 to 1");
  EXPECT_EQ(message([](AdaRoundOptions& o) { o.regularization = -1; }),
            "finetune: RegParam is -1, expected a finite number that is not negative");
}

TEST(AdaRound, OnMomentsRejectsAnActivation) {
  ThreadPool pool(1);
  const Problem problem = small_problem();
  AdaRoundOptions options = quick_adaround();
  options.descent.loss.activation.kind = Activation::Kind::relu;
  EXPECT_THROW((void)adaround(problem.layer, moments_of(problem, pool), options, pool),
               InternalError);
}

}  // namespace
}  // namespace quantsearch::reconstruction
