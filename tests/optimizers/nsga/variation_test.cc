#include "optimizers/nsga/variation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace quantsearch {
namespace {

TEST(SimulatedBinary, IsTheBoundedFormComputedByHand) {
  // The room is 0.4 and the gap 0.2, so alpha = 2 - 5^-2 = 1.96. u = 0.5: sqrt(0.98); u = 0.9:
  // sqrt(1 / (2 - 1.764)).
  EXPECT_NEAR(simulated_binary(0.4, 0.6, 1, 0.5, true), 0.5 + 0.1 * std::sqrt(0.98), 1e-12);
  EXPECT_NEAR(simulated_binary(0.6, 0.4, 1, 0.9, true), 0.5 + 0.1 / std::sqrt(0.236), 1e-12);
}

TEST(SimulatedBinary, ReachesTheBoundsButNeverExceedsThem) {
  EXPECT_NEAR(simulated_binary(0.4, 0.6, 1, 1 - 1e-16, true), 1, 1e-9);
  EXPECT_NEAR(simulated_binary(0.4, 0.6, 1, 1 - 1e-16, false), 0, 1e-9);
  RandomStream random(1);
  for (int i = 0; i < 1000; ++i) {
    const double child = simulated_binary(random.uniform(), random.uniform(), 2, random.uniform(),
                                          random.below(2) == 1);
    ASSERT_GE(child, 0);
    ASSERT_LE(child, 1);
  }
}

TEST(SimulatedBinary, IsSymmetricAndKeepsValuesThatBothParentsShare) {
  EXPECT_NEAR(simulated_binary(0.4, 0.6, 3, 0.8, false),
              1 - simulated_binary(0.4, 0.6, 3, 0.8, true), 1e-12);
  EXPECT_EQ(simulated_binary(0.3, 0.3, 3, 0.8, true), 0.3);
}

TEST(PolynomialMutation, IsTheBoundedFormComputedByHand) {
  // u = 0.25: sqrt(0.5 + 0.5 * 0.5^2) - 1 + 0.5.
  EXPECT_NEAR(polynomial_mutation(0.5, 1, 0.25), std::sqrt(0.625) - 0.5, 1e-12);
  EXPECT_NEAR(polynomial_mutation(0.5, 1, 0.75), 1.5 - std::sqrt(0.625), 1e-12);
  EXPECT_NEAR(polynomial_mutation(0.7, 20, 0.5), 0.7, 1e-12);
  EXPECT_NEAR(polynomial_mutation(0.7, 20, 0), 0, 1e-9);
}

class VariationTest : public ::testing::Test {
 protected:
  const std::vector<Axis> axes_ = {
      Axis(FloatRange{.low = -1, .high = 3}), Axis(IntRange{.low = 1, .high = 1000, .log = true}),
      Axis(Categories{.count = 5}), Axis(FloatRange{.low = 0, .high = 0.3, .step = 0.1}),
      Axis(Categories{.count = 1})};
  const Variation variation_{axes_};
};

TEST_F(VariationTest, ChildrenOfEqualParentsEqualThemWithoutMutation) {
  RandomStream random(2);
  const Coordinates parent = {0.5, 7, 3, 0.1, 0};
  const Coordinates child = variation_.child(parent, parent, 0, random);
  EXPECT_EQ(child, parent);
}

TEST_F(VariationTest, ChildrenStayWithinBoundsAndOnTheGrid) {
  RandomStream random(3);
  for (int i = 0; i < 2000; ++i) {
    const Coordinates one = random_coordinates(axes_, random);
    const Coordinates child = variation_.child(one, random_coordinates(axes_, random), 2, random);
    for (std::size_t d = 0; d < axes_.size(); ++d) {
      ASSERT_GE(child[d], axes_[d].first());
      ASSERT_LE(child[d], axes_[d].last());
      if (axes_[d].step() > 0) {
        ASSERT_EQ(child[d], axes_[d].coordinate(axes_[d].position(child[d])));
      }
    }
  }
}

TEST_F(VariationTest, CategoriesComeFromAParentUnlessMutated) {
  RandomStream random(4);
  std::set<double> names;
  for (int i = 0; i < 200; ++i)
    names.insert(variation_.child({0, 1, 1, 0, 0}, {0, 1, 4, 0, 0}, 0, random)[2]);
  EXPECT_EQ(names, (std::set<double>{1, 4}));
}

TEST_F(VariationTest, MutationChangesEveryGridValueAndCategory) {
  // The strength is the number of dimensions with a choice, so that each of them is mutated.
  RandomStream random(5);
  const Coordinates parent = {0, 10, 2, 0, 0};
  std::set<double> names;
  std::set<double> steps;
  for (int i = 0; i < 300; ++i) {
    const Coordinates child = variation_.child(parent, parent, 4, random);
    EXPECT_NE(child[1], 10);
    names.insert(child[2]);
    steps.insert(child[3]);
    EXPECT_EQ(child[4], 0);
  }
  EXPECT_EQ(names, (std::set<double>{0, 1, 3, 4}));
  EXPECT_TRUE(steps.contains(0.1));
  EXPECT_FALSE(steps.contains(0));
}

TEST_F(VariationTest, InheritsValuesOfOneParentAndDrawsThoseOfNone) {
  RandomStream random(6);
  std::set<double> drawn;
  for (int i = 0; i < 100; ++i) {
    const Coordinates child =
        variation_.child({0.5, kInactive, kInactive, 0, 0}, {0.5, 31, kInactive, 0, 0}, 0, random);
    EXPECT_EQ(child[1], 31);
    drawn.insert(child[2]);
  }
  EXPECT_EQ(drawn, (std::set<double>{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace quantsearch
