#include "finetune/solvers/output_loss.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace quantsearch::reconstruction {
namespace {

using Kind = Activation::Kind;

double slow_activation(const Activation& activation, double y) {
  switch (activation.kind) {
    case Kind::none:
      return y;
    case Kind::relu:
      return std::max(y, 0.0);
    case Kind::leaky_relu:
      return y > 0 ? y : static_cast<double>(activation.alpha) * y;
    case Kind::clip:
      return std::clamp<double>(y, activation.low, activation.high);
    case Kind::sigmoid:
      return 1 / (1 + std::exp(-y));
    case Kind::tanh:
      return std::tanh(y);
    case Kind::gelu:
      return 0.5 * y * (1 + std::erf(y / std::sqrt(2.0)));
    case Kind::hard_swish:
      return y * std::clamp(y / 6 + 0.5, 0.0, 1.0);
    case Kind::hard_sigmoid:
      return std::clamp<double>(
          static_cast<double>(activation.alpha) * y + static_cast<double>(activation.beta), 0, 1);
  }
  return 0;
}

std::vector<Activation> all_activations() {
  return {{.kind = Kind::none},
          {.kind = Kind::relu},
          {.kind = Kind::leaky_relu, .alpha = 0.1F},
          {.kind = Kind::clip, .low = -0.5F, .high = 1.25F},
          {.kind = Kind::sigmoid},
          {.kind = Kind::tanh},
          {.kind = Kind::gelu},
          {.kind = Kind::hard_swish},
          {.kind = Kind::hard_sigmoid, .alpha = 0.2F, .beta = 0.5F}};
}

/// Values away from the kinks of all activations above; their number is no multiple of a vector.
std::vector<float> outputs() {
  std::vector<float> values;
  for (int index = -45; index < 46; ++index)
    values.push_back(static_cast<float>(index) * 0.11F + 0.013F);
  return values;
}

TEST(OutputLoss, GradientIsTheDerivativeForEveryActivation) {
  const std::vector<float> y = outputs();
  std::vector<float> t(y.rbegin(), y.rend());
  for (const Activation& activation : all_activations()) {
    std::vector<float> gradient(y.size());
    loss_gradient({.activation = activation}, y.data(), t.data(), std::ssize(y), 0.25F,
                  gradient.data());
    for (std::size_t at = 0; at < y.size(); ++at) {
      const auto loss = [&](double value) {
        return 0.25 *
               std::pow(slow_activation(activation, value) - slow_activation(activation, t[at]), 2);
      };
      const double expected = (loss(y[at] + 1e-5) - loss(y[at] - 1e-5)) / 2e-5;
      ASSERT_NEAR(gradient[at], expected, 2e-5)
          << static_cast<int>(activation.kind) << " at " << y[at];
    }
  }
}

TEST(OutputLoss, GradientMayReplaceTheOutputs) {
  std::vector<float> y = outputs();
  const std::vector<float> t(y.size(), 0.5F);
  std::vector<float> apart(y.size());
  loss_gradient({.activation = {.kind = Kind::relu}}, y.data(), t.data(), std::ssize(y), 1,
                apart.data());
  loss_gradient({.activation = {.kind = Kind::relu}}, y.data(), t.data(), std::ssize(y), 1,
                y.data());
  EXPECT_EQ(y, apart);
}

TEST(OutputLoss, QuantizerHasSlopeOneInsideItsRangeAndZeroOutside) {
  // Codes 0..3 with the zero point 1 have the values -0.5, 0, 0.5, 1.
  const OutputLoss loss{.activation = {},
                        .grid = OutputGrid{.scale = 0.5F, .zero_point = 1, .limits = {0, 3}}};
  const std::vector<float> y = {0.6F, 0.75F, 1.2F, 1.3F, -0.7F, -0.8F};
  const std::vector<float> t = {0, 0, 0, 0, 0, 0};
  std::vector<float> gradient(y.size());
  loss_gradient(loss, y.data(), t.data(), std::ssize(y), 1, gradient.data());
  // 0.75 / 0.5 rounds to even, 2; 1.3 and -0.8 round to codes 4 and -1, outside.
  EXPECT_EQ(gradient, (std::vector<float>{1, 2, 2, 0, -1, 0}));
}

TEST(OutputLoss, ErrorComparesTheQuantizedWithTheFloatActivation) {
  const OutputLoss loss{.activation = {.kind = Kind::relu},
                        .grid = OutputGrid{.scale = 0.5F, .zero_point = 0, .limits = {0, 3}}};
  // f(y) = 0.5, 0, 1.5; a(t) = 0.4, 0, 3.
  const std::vector<float> y = {0.6F, -2, 9};
  const std::vector<float> t = {0.4F, -1, 3};
  const ErrorSums sums = error_sums(loss, y.data(), t.data(), 3);
  EXPECT_NEAR(sums.error, 0.01 + 2.25, 1e-6);
  EXPECT_NEAR(sums.energy, 0.16 + 9, 1e-6);
}

TEST(OutputLoss, ErrorsAreSummedOverSeveralRuns) {
  std::vector<float> y(5000, 1.5F);
  const std::vector<float> t(5000, 1.0F);
  const ErrorSums sums = error_sums({}, y.data(), t.data(), 5000);
  EXPECT_EQ(sums.error, 1250);
  EXPECT_EQ(sums.energy, 5000);
  EXPECT_EQ(error_sums({}, y.data(), t.data(), 0).error, 0);
}

TEST(OutputLoss, StaysFiniteForHugeOutputs) {
  const std::vector<float> y = {1e30F, -1e30F, 500, -500};
  const std::vector<float> t = {0, 0, 0, 0};
  for (const Kind kind : {Kind::sigmoid, Kind::tanh, Kind::relu}) {
    std::vector<float> gradient(4);
    loss_gradient({.activation = {.kind = kind}}, y.data(), t.data(), 4, 1e-9F, gradient.data());
    for (const float value : gradient) EXPECT_TRUE(std::isfinite(value));
  }
}

TEST(OutputLoss, LinearizedAndMovedErrorsMatchASlowReference) {
  for (const Activation& activation : all_activations()) {
    const OutputLoss loss{.activation = activation};
    std::vector<float> outputs;
    std::vector<float> direction;
    std::vector<float> targets;
    for (int at = 0; at < 2075; ++at) {  // more than a run, and no multiple of a vector
      outputs.push_back(0.37F * static_cast<float>(at % 29 - 14));
      direction.push_back(0.11F * static_cast<float>(at % 17 - 8));
      targets.push_back(0.53F * static_cast<float>(at % 23 - 11));
    }
    const auto count = static_cast<std::int64_t>(outputs.size());
    std::vector<float> pulls(outputs.size());
    std::vector<float> squares(outputs.size());
    std::vector<float> gradient(outputs.size());
    std::vector<float> moved(outputs.size());
    const LinearizedOutputs terms{moved.data(), pulls.data(), squares.data()};
    (void)move_and_linearize(loss, outputs.data(), direction.data(), 0, targets.data(), count,
                             terms);
    EXPECT_EQ(moved, outputs);
    loss_gradient(loss, outputs.data(), targets.data(), count, 0.5F, gradient.data());
    double expected = 0;
    for (std::size_t at = 0; at < outputs.size(); ++at) {
      EXPECT_NEAR(pulls[at], gradient[at], 1e-5);
      const double difference =
          slow_activation(activation, outputs[at]) - slow_activation(activation, targets[at]);
      if (std::abs(difference) > 0.1) {
        const double slope = pulls[at] / difference;
        EXPECT_NEAR(squares[at], slope * slope, 1e-3);
      }
      const double there = static_cast<double>(outputs[at]) + 0.25 * direction[at];
      expected += std::pow(
          slow_activation(activation, there) - slow_activation(activation, targets[at]), 2);
    }
    EXPECT_NEAR(move_and_linearize(loss, outputs.data(), direction.data(), 0.25F, targets.data(),
                                   count, terms),
                expected, 1e-5 * expected);
    for (std::size_t at = 0; at < outputs.size(); ++at)
      EXPECT_NEAR(moved[at], outputs[at] + 0.25F * direction[at], 1e-5);
  }
}

}  // namespace
}  // namespace quantsearch::reconstruction
