#include "optimizers/axis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

TEST(Axis, WidensAGridByHalfAStep) {
  const Axis axis(IntRange{.low = 2, .high = 10, .step = 3});  // 2, 5, 8
  EXPECT_EQ(axis.count(), 3);
  EXPECT_EQ(axis.last(), 8);
  EXPECT_EQ(axis.low(), 0.5);
  EXPECT_EQ(axis.high(), 9.5);
  EXPECT_EQ(axis.coordinate(3.4), 2);
  EXPECT_EQ(axis.coordinate(3.5), 5);
  EXPECT_EQ(axis.coordinate(9.5), 8);
}

TEST(Axis, TakesTheLogarithmOfTheWidenedBounds) {
  const Axis axis(IntRange{.low = 1, .high = 8, .step = 1, .log = true});
  EXPECT_DOUBLE_EQ(axis.low(), std::log(0.5));
  EXPECT_DOUBLE_EQ(axis.high(), std::log(8.5));
  EXPECT_EQ(axis.from_unit(0), 1);
  EXPECT_EQ(axis.from_unit(1), 8);
}

TEST(Axis, CountsDecimalStepsAsWritten) {
  const Axis axis(FloatRange{.low = 0, .high = 0.3, .log = false, .step = 0.1});
  EXPECT_EQ(axis.count(), 4);
  EXPECT_NEAR(axis.last(), 0.3, 1e-15);
  const Axis uneven(FloatRange{.low = 0, .high = 1, .log = false, .step = 0.4});
  EXPECT_EQ(uneven.count(), 3);
  EXPECT_DOUBLE_EQ(uneven.last(), 0.8);
}

TEST(Axis, KeepsEveryGridValueInARoundTripThroughTheUnitAxis) {
  const std::vector<SearchDimension> dimensions = {
      IntRange{.low = -3, .high = 20, .step = 2},
      IntRange{.low = 1, .high = 300, .step = 1, .log = true}, Categories{.count = 7},
      FloatRange{.low = 0.1, .high = 2.5, .log = false, .step = 0.3}};
  for (const SearchDimension& dimension : dimensions) {
    const Axis axis(dimension);
    for (std::int64_t i = 0; i < axis.count(); ++i) {
      const double value = axis.first() + static_cast<double>(i) * axis.step();
      EXPECT_EQ(axis.from_unit(axis.to_unit(value)), value);
    }
  }
}

TEST(Axis, PutsASingleValueInTheMiddle) {
  const Axis axis(FloatRange{.low = 4, .high = 4});
  EXPECT_TRUE(axis.is_single());
  EXPECT_EQ(axis.to_unit(4), 0.5);
  EXPECT_EQ(axis.from_unit(0.9), 4);
}

TEST(Axis, UniformPositionsGiveEveryCategoryTheSameShare) {
  const std::vector<Axis> axes = {Axis(Categories{.count = 4})};
  RandomStream random(7);
  std::map<double, int> counts;
  for (int i = 0; i < 4000; ++i) ++counts[random_coordinates(axes, random).front()];
  ASSERT_EQ(counts.size(), 4U);
  for (const auto& [value, count] : counts)
    EXPECT_NEAR(count, 1000, 120) << value;  // 4 standard deviations
}

TEST(Domain, RefusesInvalidDimensions) {
  const auto message = [](SearchDimension dimension) {
    try {
      check(Domain{.dimensions = {std::move(dimension)}});
    } catch (const InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message(FloatRange{.low = 2, .high = 1}),
            "search: dimension 0: got bounds 2 and 1, expected finite ones in order");
  EXPECT_EQ(message(FloatRange{.low = 0, .high = 1, .log = true}),
            "search: dimension 0: a logarithmic range begins at 0, expected above 0");
  EXPECT_EQ(message(FloatRange{.low = 1, .high = 2, .log = true, .step = 0.1}),
            "search: dimension 0: got a step with a logarithmic range; leave one of them out");
  EXPECT_EQ(message(IntRange{.low = 0, .high = 3, .step = 0}),
            "search: dimension 0: got the step 0, expected at least 1");
  EXPECT_EQ(message(Categories{.count = 0}),
            "search: dimension 0: got 0 categories, expected at least one");
  EXPECT_EQ(message(IntRange{.low = 0, .high = 3}), "");
  EXPECT_THROW(check(Domain{}), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
