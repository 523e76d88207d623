#include "finetune/solvers/trained_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "finetune/solvers/problems.h"

namespace quantsearch::reconstruction {
namespace {

LayerWeights small_layer() {
  return make_problem({.shape = {.groups = 1, .rows = 3, .columns = 19}, .bits = 4}).layer;
}

double soft(double number) { return std::clamp(1.2 / (1 + std::exp(-number)) - 0.1, 0.0, 1.0); }

/// A slow reference for one weight of AdaRound in double, with derivatives by differences.
struct SlowRounding {
  double floor = 0, scale = 1, low = 0, high = 0, number = 0, first = 0, second = 0;

  [[nodiscard]] double weight(double at) const {
    return scale * std::clamp(floor + soft(at), low, high);
  }
  void step(const StepRates& rates, double by_weight) {
    const auto loss = [&](double at) {
      return by_weight * weight(at) +
             static_cast<double>(rates.regularization) *
                 (1 - std::pow(std::abs(2 * soft(at) - 1), static_cast<double>(rates.beta)));
    };
    const double gradient = (loss(number + 1e-6) - loss(number - 1e-6)) / 2e-6;
    first = 0.9 * first + 0.1 * gradient;
    second = 0.999 * second + 0.001 * gradient * gradient;
    number -= static_cast<double>(rates.learning_rate) * first *
              static_cast<double>(rates.first_correction) /
              (std::sqrt(second * static_cast<double>(rates.second_correction)) + 1e-8);
  }
};

StepRates rates_at(int step, float rate, float regularization) {
  return {.learning_rate = rate,
          .first_correction = static_cast<float>(1 / (1 - std::pow(0.9, step + 1))),
          .second_correction = static_cast<float>(1 / (1 - std::pow(0.999, step + 1))),
          .regularization = regularization,
          .beta = 5};
}

TEST(LearnedRounding, StartsAtTheFloatWeightsAndTheirNearestCodes) {
  const LayerWeights layer = small_layer();
  const auto weights = learned_rounding(layer);
  std::vector<float> values(layer.values.size());
  weights->weights({.first = 0, .count = std::ssize(values)}, values.data());
  for (std::size_t at = 0; at < values.size(); ++at)
    EXPECT_NEAR(values[at], layer.values[at], 1e-5);
  EXPECT_EQ(weights->codes(), round_to_nearest(layer).codes);
}

TEST(LearnedRounding, FollowsASlowReference) {
  const LayerWeights layer = small_layer();
  const std::int64_t k = layer.shape.columns;
  const auto weights = learned_rounding(layer);
  std::vector<SlowRounding> slow;
  for (std::size_t at = 0; at < layer.values.size(); ++at) {
    const double scale = layer.grid.scales[at / static_cast<std::size_t>(k)];
    const double scaled = layer.values[at] / scale;
    slow.push_back({.floor = std::floor(scaled),
                    .scale = scale,
                    .low = -7,
                    .high = 7,
                    .number = -std::log(1.2 / (scaled - std::floor(scaled) + 0.1) - 1)});
  }
  RandomStream random(3);
  std::vector<float> gradient(layer.values.size());
  std::vector<float> values(layer.values.size());
  for (int step = 0; step < 20; ++step) {
    for (float& value : gradient) value = static_cast<float>(random.normal());
    const StepRates rates = rates_at(step, 0.02F, step < 5 ? 0.0F : 0.05F);
    weights->step({.first = 0, .count = std::ssize(values)}, rates, gradient.data(), values.data());
    for (std::size_t at = 0; at < slow.size(); ++at) slow[at].step(rates, gradient[at]);
  }
  for (std::size_t at = 0; at < slow.size(); ++at) {
    ASSERT_NEAR(values[at], slow[at].weight(slow[at].number), 2e-3 * slow[at].scale) << at;
  }
}

TEST(LearnedRounding, RegularizerMakesSoftWeightsHard) {
  const LayerWeights layer = small_layer();
  const auto weights = learned_rounding(layer);
  std::vector<float> values(layer.values.size());
  const std::vector<float> nothing(layer.values.size(), 0.0F);
  for (int step = 0; step < 400; ++step) {
    weights->step({.first = 0, .count = std::ssize(values)}, rates_at(step, 0.1F, 0.01F),
                  nothing.data(), values.data());
  }
  const std::vector<std::int32_t> codes = weights->codes();
  for (std::size_t at = 0; at < values.size(); ++at) {
    const float scale = layer.grid.scales[at / 19];
    EXPECT_NEAR(values[at], static_cast<float>(codes[at]) * scale, 1e-4F * scale);
  }
}

TEST(LearnedRounding, KeepsClippedWeightsOnTheGrid) {
  LayerWeights layer = small_layer();
  layer.values[0] = 1e9F;
  layer.values[1] = -1e9F;
  const auto weights = learned_rounding(layer);
  std::vector<float> values(layer.values.size());
  const std::vector<float> gradient(layer.values.size(), 1.0F);
  weights->step({.first = 0, .count = std::ssize(values)}, rates_at(0, 0.1F, 0), gradient.data(),
                values.data());
  EXPECT_EQ(weights->codes()[0], 7);
  EXPECT_EQ(weights->codes()[1], -7);
  EXPECT_FLOAT_EQ(values[0], 7 * layer.grid.scales[0]);
}

TEST(TrainedWeights, StepsInSpansMatchOneStepOfAllWeights) {
  Problem problem = make_problem({.shape = {.groups = 1, .rows = 5, .columns = 9}});
  problem.layer.grid.scales = {0.5F, 0.5F, 0.5F, 0.25F, 0.25F};
  for (const bool is_rounding : {true, false}) {
    const auto whole =
        is_rounding ? learned_rounding(problem.layer) : straight_through(problem.layer);
    const auto parts =
        is_rounding ? learned_rounding(problem.layer) : straight_through(problem.layer);
    std::vector<float> gradient(45);
    for (std::size_t at = 0; at < 45; ++at) gradient[at] = static_cast<float>(at) - 20;
    std::vector<float> first(45);
    std::vector<float> second(45);
    for (int step = 0; step < 3; ++step) {
      const StepRates rates = rates_at(step, 0.1F, 0.01F);
      whole->step({.first = 0, .count = 45}, rates, gradient.data(), first.data());
      for (std::int64_t row = 0; row < 5; ++row) {
        parts->step({.first = row * 9, .count = 9}, rates, gradient.data() + row * 9,
                    second.data() + row * 9);
      }
    }
    for (std::size_t at = 0; at < 45; ++at) ASSERT_NEAR(first[at], second[at], 1e-6);
    EXPECT_EQ(whole->codes(), parts->codes());
  }
}

TEST(StraightThrough, StartsAtNearestRounding) {
  const LayerWeights layer = small_layer();
  const auto weights = straight_through(layer);
  std::vector<float> values(layer.values.size());
  weights->weights({.first = 0, .count = std::ssize(values)}, values.data());
  EXPECT_EQ(values, dequantized(layer, round_to_nearest(layer)));
  EXPECT_EQ(weights->codes(), round_to_nearest(layer).codes);
}

TEST(StraightThrough, MovesAWeightAgainstItsGradientOnlyInsideTheGrid) {
  const LayerWeights layer{.shape = {.groups = 1, .rows = 1, .columns = 3},
                           .values = {0.4F, 0.4F, 9.0F},
                           .bias = {},
                           .grid = {.scales = {1}, .zero_points = {0}, .limits = {-7, 7}}};
  const auto weights = straight_through(layer);
  std::vector<float> values(3);
  const std::vector<float> gradient = {-2.0F, 0.5F, 1.0F};
  // The first step of Adam has the size of the learning rate for every gradient.
  weights->step({.first = 0, .count = 3}, rates_at(0, 0.2F, 0), gradient.data(), values.data());
  EXPECT_EQ(values, (std::vector<float>{1, 0, 7}));
  EXPECT_EQ(weights->codes(), (std::vector<std::int32_t>{1, 0, 7}));
}

TEST(Adam, MatchesHandValues) {
  AdamState state{.first = {0, 0}, .second = {0, 0}};
  std::vector<float> values = {5, 1};
  const float gradient = 3;
  adam_step(rates_at(0, 0.1F, 0), &gradient, 1, 1, state, values);
  EXPECT_EQ(values[0], 5);
  EXPECT_NEAR(values[1], 0.9, 1e-6);
  EXPECT_NEAR(state.first[1], 0.3, 1e-6);
  EXPECT_NEAR(state.second[1], 0.009, 1e-6);
}

}  // namespace
}  // namespace quantsearch::reconstruction
