#include "optimizers/cma/categories.h"

#include <gtest/gtest.h>

#include "optimizers/cma/expect_near.h"
#include "optimizers/cma/golden.h"
#include "optimizers/cma/run.h"

namespace quantsearch {
namespace {

Eigen::VectorXd uniform(Eigen::Index count) {
  return Eigen::VectorXd::Constant(count, 1.0 / static_cast<double>(count));
}

/// Two real numbers, two of five values, three and four categories.
CmaDistribution mixed_distribution() {
  Eigen::VectorXd mean(4);
  mean << 0.5, 0.5, 0.5, 0.1;
  const CmaGrid grid(Axis(IntRange{.low = 0, .high = 4}));
  return {.gaussian = CmaGaussian(mean, 0.15, Eigen::MatrixXd::Identity(4, 4)),
          .margin = CmaMargin({std::nullopt, std::nullopt, grid, grid}, share_of(4)),
          .categories = CmaCategories({uniform(3), uniform(4)}, share_of(4))};
}

std::vector<CmaMember> mixed_generation(int g) {
  std::vector<CmaMember> members;
  for (int k = 0; k < 6; ++k) {
    CmaDraw draw{.positions = golden_points(4, 6, g).col(k),
                 .categories = {(k + g) % 3, (k * k + 2 * g) % 4}};
    draw.positions[3] =
        g == 2 ? 0.05 + 0.01 * k : 0.12 + 0.25 / 0.35 * std::abs(golden_position(3, k, g) - 0.5);
    members.push_back({.draw = draw, .score = {}});
  }
  return members;
}

TEST(CmaCategories, MoveWithTheNumbersLikeTheReference) {
  // The values were computed with cmaes 0.13.1 (CatCMAwM).
  CmaDistribution distribution = mixed_distribution();
  const CmaStrategy strategy = cma_strategy(4, 6);
  distribution.update(strategy, mixed_generation(0));
  expect_near(distribution.categories.shares()[0],
              {0.5566173307321751, 0.29748320711929904, 0.14589946214852578}, 1e-7);
  expect_near(distribution.categories.shares()[1],
              {0.5921792966965012, 0.2754157078824591, 0.06620249771051992, 0.06620249771051992},
              1e-7);
  for (int g = 1; g < 4; ++g) distribution.update(strategy, mixed_generation(g));
  expect_near(distribution.categories.shares()[0],
              {0.4128508416231138, 0.2255684993809534, 0.3615806589959328}, 1e-7);
  expect_near(distribution.categories.shares()[1],
              {0.4293508306699676, 0.1779182517468627, 0.2758638466333049, 0.11686707094986476},
              1e-7);
  expect_near(distribution.gaussian.mean,
              {0.39930714633397657, 0.3400114608717458, 0.5358508201150118, 0.25053994096100374},
              1e-9);
  EXPECT_NEAR(distribution.gaussian.sigma, 0.13196662425525812, 1e-10);
  expect_near(distribution.gaussian.covariance.diagonal(),
              {1.2144034093263592, 0.9088802758285917, 1.196232384752064, 1.170825949406691}, 1e-9);
}

TEST(CmaCategories, DrawAccordingToTheirShares) {
  Eigen::VectorXd shares(3);
  shares << 0.2, 0.5, 0.3;
  const CmaCategories categories({shares}, 0.01);
  RandomStream random(11);
  Eigen::VectorXd counts = Eigen::VectorXd::Zero(3);
  for (int i = 0; i < 10'000; ++i) ++counts[categories.draw(random)[0]];
  expect_near(counts / 10'000, {0.2, 0.5, 0.3}, 0.02);  // standard error 0.005
}

TEST(CmaCategories, NeverFallBelowTheMarginAndSumToOne) {
  CmaCategories categories({uniform(4), uniform(2)}, 0.06);
  const std::vector<std::vector<int>> always_the_first(6, {0, 0});
  for (int i = 0; i < 50; ++i) categories.update(cma_strategy(0, 6), always_the_first);
  expect_near(categories.shares()[0], {0.94, 0.02, 0.02, 0.02}, 1e-9);
  expect_near(categories.shares()[1], {0.94, 0.06}, 1e-9);
}

TEST(CmaCategories, StayUnchangedWhenNothingIsKnown) {
  CmaCategories categories({uniform(3)}, 0.06);
  categories.update(cma_strategy(0, 4), std::vector<std::vector<int>>(4, {-1}));
  expect_near(categories.shares()[0], {1.0 / 3, 1.0 / 3, 1.0 / 3}, 1e-15);
}

TEST(CmaCategories, StayFiniteForASingleBinaryChoiceWithContradictoryResults) {
  CmaCategories categories({uniform(2)}, 0.27);
  for (int i = 0; i < 200; ++i) {
    categories.update(cma_strategy(0, 4), std::vector<std::vector<int>>(4, {i % 2}));
    ASSERT_TRUE(categories.shares()[0].allFinite());
    ASSERT_NEAR(categories.shares()[0].sum(), 1, 1e-12);
  }
}

}  // namespace
}  // namespace quantsearch
