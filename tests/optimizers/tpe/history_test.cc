#include "optimizers/tpe/history.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quantsearch {
namespace {

using Rows = std::vector<std::uint32_t>;

std::vector<Axis> two_axes() {
  return {Axis(FloatRange{.low = 1e-3, .high = 1, .log = true}), Axis(Categories{.count = 3})};
}

/// The numbers 7, 3, 5 and 9, with a tie in each axis and an inactive value.
History four_rows(const std::vector<Axis>& axes) {
  History history(axes);
  history.add(7, {0.5, 2});
  history.add(3, {0.1, kInactive});
  history.add(5, {0.5, 0});
  history.add(9, {0.2, 0});
  return history;
}

TEST(History, KeepsActiveRowsSortedWithTiesInInsertionOrder) {
  const std::vector<Axis> axes = two_axes();
  const History history = four_rows(axes);
  EXPECT_EQ(history.order(0), (Rows{1, 3, 0, 2}));
  EXPECT_EQ(history.order(1), (Rows{2, 3, 0}));
  EXPECT_EQ(history.number(1), 3);
  EXPECT_DOUBLE_EQ(history.positions(0)[1], std::log(0.1));
  EXPECT_FALSE(is_active(history.positions(1)[1]));
}

TEST(History, RemovesTheLastRows) {
  const std::vector<Axis> axes = two_axes();
  History history(axes);
  history.add(0, {0.5, 2});
  history.add(1, {0.1, 1});
  history.add(2, {0.3, kInactive});
  history.remove_last();
  history.remove_last();
  EXPECT_EQ(history.size(), 1U);
  EXPECT_EQ(history.order(0), (Rows{0}));
  EXPECT_EQ(history.order(1), (Rows{0}));
  EXPECT_EQ(history.positions(1).size(), 1U);
}

TEST(History, KeepsMarkedRowsInTheirOrder) {
  const std::vector<Axis> axes = two_axes();
  History history = four_rows(axes);
  history.keep({1, 1, 0, 1});
  EXPECT_EQ(history.size(), 3U);
  EXPECT_EQ(history.number(2), 9);
  EXPECT_EQ(history.order(0), (Rows{1, 2, 0}));
  EXPECT_EQ(history.order(1), (Rows{2, 0}));
  EXPECT_DOUBLE_EQ(history.positions(0)[2], std::log(0.2));
  EXPECT_FALSE(is_active(history.positions(1)[1]));
}

}  // namespace
}  // namespace quantsearch
