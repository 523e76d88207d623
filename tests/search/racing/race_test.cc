#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "quantsearch/base/random.h"
#include "quantsearch/internal/search/racing.h"
#include "search/problems.h"

namespace quantsearch {
namespace {

TEST(RaceLooks, GrowGeometricallyAndEndBeforeTheLastSample) {
  EXPECT_EQ(race_looks(200, {}),
            (std::vector<std::int64_t>{8, 10, 13, 17, 22, 29, 38, 50, 65, 84, 110, 143, 186}));
  EXPECT_EQ(race_looks(8, {}), std::vector<std::int64_t>{});
  EXPECT_EQ(race_looks(6, {.first_look = 2, .growth = 1.1}),
            (std::vector<std::int64_t>{2, 3, 4, 5}));
}

TEST(Race, RunsAnEqualTrialToTheEnd) {
  const std::vector<double> losses(100, 0.5);
  Race race(losses);
  EXPECT_EQ(race.add(losses), RaceDecision::go_on);
  EXPECT_EQ(race.seen(), 100);
}

TEST(Race, StopsATrialThatIsWorseOnEverySample) {
  const std::vector<double> best(200, 1.0);
  Race race(best);
  EXPECT_EQ(race.add(std::vector<double>(200, 1.5)), RaceDecision::stop);
  EXPECT_EQ(race.decision(), RaceDecision::stop);
  EXPECT_EQ(race.seen(), 8);  // the first look: of 256 sums only one is as large
}

TEST(Race, NeverStopsATrialThatIsBetter) {
  RandomStream random(1);
  std::vector<double> best;
  std::vector<double> losses;
  for (int i = 0; i < 300; ++i) {
    best.push_back(random.uniform());
    losses.push_back(best.back() - 0.2 + 0.3 * random.uniform());
  }
  Race race(best);
  EXPECT_EQ(race.add(losses), RaceDecision::go_on);
}

TEST(Race, DecidesTheSameInBatchesOfAnySize) {
  RandomStream random(2);
  std::vector<double> best;
  std::vector<double> losses;
  for (int i = 0; i < 300; ++i) {
    best.push_back(random.normal());
    losses.push_back(best.back() + 0.4 + random.normal());
  }
  Race whole(best);
  Race single(best);
  EXPECT_EQ(whole.add(losses), RaceDecision::stop);
  for (const double loss : losses)
    if (single.add(loss) == RaceDecision::stop) break;
  EXPECT_EQ(whole.seen(), single.seen());
  EXPECT_EQ(whole.estimate().mean, single.estimate().mean);
}

TEST(Race, StopsAtALossThatIsNotFinite) {
  Race race(std::vector<double>(10, 1.0));
  EXPECT_EQ(race.add(1.0), RaceDecision::go_on);
  EXPECT_EQ(race.add(std::numeric_limits<double>::quiet_NaN()), RaceDecision::stop);
  EXPECT_EQ(race.seen(), 2);
}

TEST(Race, EstimatesTheWholeMeanFromTheDifferences) {
  // The mean of the best is 2.5. The differences 1 and 0 have the mean 0.5, whose variance is 0.5 /
  // 2 * (1 - 2/4).
  Race race({1, 2, 3, 4});
  EXPECT_EQ(race.estimate().variance, std::numeric_limits<double>::infinity());
  race.add(std::vector<double>{2, 2});
  EXPECT_DOUBLE_EQ(race.estimate().mean, 3.0);
  EXPECT_DOUBLE_EQ(race.estimate().variance, 0.125);
  race.add(std::vector<double>{0, 0});
  EXPECT_DOUBLE_EQ(race.estimate().mean, 1.0);
  EXPECT_EQ(race.estimate().variance, 0);
}

TEST(Race, NamesTheInvalidOptionOrLoss) {
  const auto with = [](const RaceOptions& options) {
    return message_of<InvalidInput>([&] { Race({1, 2}, options); });
  };
  EXPECT_EQ(with({.error_rate = 0.5}),
            "race: got an error rate of 0.5, expected one above 0 and below 0.5");
  EXPECT_EQ(with({.first_look = 1}), "race: got a first look at 1 samples, expected at least 2");
  EXPECT_EQ(with({.growth = 1}), "race: got a growth of 1, expected a number above 1");
  EXPECT_EQ(message_of<InvalidInput>([] { Race({}); }), "race: got no losses of the best trial");
  EXPECT_EQ(message_of<InvalidInput>([] {
              Race({1, std::nan("")});
            }),
            "race: loss 1 of the best trial is nan, expected a finite number");
  Race race({1, 2});
  EXPECT_EQ(message_of<InvalidInput>([&] {
              race.add(std::vector<double>{1, 2, 3});
            }),
            "race: got more losses than the 2 samples of the best trial");
}

using Draw = std::function<double(RandomStream& random)>;

double normal(RandomStream& random) { return random.normal(); }
/// Student's t with two degrees of freedom, which has no variance.
double heavy_tailed(RandomStream& random) {
  return random.normal() / std::sqrt(-std::log(1 - random.uniform()));
}
double wrong_or_right(RandomStream& random) { return random.uniform() < 0.3 ? 1 : 0; }

struct Simulation {
  int trials = 400;
  int samples = 200;
  double shift = 0;  // of the trial's losses
  // The losses of the trial are shifted to the mean of the best over these samples.
  bool same_mean = false;
  RaceOptions options = {};
};

struct Stops {
  int all = 0;
  int mistaken = 0;  // the trial's mean over all samples was not above the best's
  double seen = 0;   // mean
};

/// Runs races of trials whose losses are drawn independently from the distribution of the best.
Stops simulate(const Simulation& simulation, const Draw& draw) {
  Stops stops;
  RandomStream random(11);
  for (int trial = 0; trial < simulation.trials; ++trial) {
    std::vector<double> best;
    std::vector<double> losses;
    for (int sample = 0; sample < simulation.samples; ++sample) {
      best.push_back(draw(random));
      losses.push_back(draw(random) + simulation.shift);
    }
    double excess = 0;
    for (std::size_t i = 0; i < best.size(); ++i) excess += losses[i] - best[i];
    if (simulation.same_mean)
      for (double& loss : losses) loss -= excess / simulation.samples;
    RaceOptions options = simulation.options;
    options.seed = static_cast<std::uint64_t>(trial);
    Race race(best, options);
    const bool stopped = race.add(losses) == RaceDecision::stop;
    stops.all += stopped ? 1 : 0;
    stops.mistaken += stopped && (simulation.same_mean || excess <= 0) ? 1 : 0;
    stops.seen += static_cast<double>(race.seen()) / simulation.trials;
  }
  return stops;
}

// Of 400 equally good trials at a rate of 0.05, 20 are expected to be stopped, with a standard
// deviation of 4.4. The counts below are those of these seeds.
TEST(RaceErrors, KeepToTheRateForNormalDifferences) { EXPECT_EQ(simulate({}, normal).all, 15); }

TEST(RaceErrors, KeepToTheRateForHeavyTails) { EXPECT_EQ(simulate({}, heavy_tailed).all, 23); }

TEST(RaceErrors, KeepToTheRateForZeroOneLosses) { EXPECT_EQ(simulate({}, wrong_or_right).all, 21); }

TEST(RaceErrors, KeepToASmallRate) {
  const Simulation small{.trials = 100, .options = {.error_rate = 0.01}};
  EXPECT_EQ(simulate(small, normal).all, 0);
}

// Most of the trials stopped by mistake would not have beaten the best.
TEST(RaceErrors, AreFewAmongTrialsThatWouldHaveBeatenTheBest) {
  EXPECT_EQ(simulate({}, normal).mistaken, 5);
}

// The samples not yet seen compensate for the loss on those seen. Three standard deviations above
// the expected count are 33.
TEST(RaceErrors, KeepToTheRateForTheSameMeanOverTheseSamples) {
  EXPECT_LE(simulate({.same_mean = true}, normal).all, 33);
  EXPECT_LE(simulate({.same_mean = true}, wrong_or_right).all, 33);
}

// Shifts are in standard deviations of the difference, which are sqrt(2).
TEST(RacePower, FindsASmallShiftOftenAndALargeOneAlwaysAndEarly) {
  const Simulation small{.trials = 200, .shift = 0.14 * std::sqrt(2.0)};
  const Simulation large{.trials = 200, .shift = 0.7 * std::sqrt(2.0)};
  EXPECT_EQ(simulate(small, normal).all, 91);
  const Stops stops = simulate(large, normal);
  EXPECT_EQ(stops.all, 200);
  EXPECT_LT(stops.seen, 25);  // of 200 samples
}

}  // namespace
}  // namespace quantsearch
