#include <gtest/gtest.h>

#include "quantsearch/base/byte_budget.h"

namespace quantsearch {
namespace {

TEST(ByteBudget, RefusesWhatDoesNotFitAndGivesBackWhatIsReleased) {
  const ByteBudget budget(100);
  auto first = budget.try_reserve(70);
  EXPECT_TRUE(first);
  EXPECT_FALSE(budget.try_reserve(31));
  EXPECT_TRUE(budget.try_reserve(30));  // released at once
  EXPECT_EQ(budget.used(), 70);
  first = {};
  EXPECT_EQ(budget.used(), 0);
}

TEST(ByteBudget, CopiesShareOneAccount) {
  const ByteBudget budget(10);
  const ByteBudget copy = budget;
  const auto held = copy.try_reserve(10);
  EXPECT_FALSE(budget.try_reserve(1));
}

TEST(ByteBudget, AMovedReservationIsReleasedOnce) {
  const ByteBudget budget(10);
  auto first = budget.try_reserve(10);
  {
    const auto second = std::move(first);
    EXPECT_EQ(second.bytes(), 10);
  }
  EXPECT_EQ(budget.used(), 0);
}

TEST(MemoryUse, IsPositiveAndBelowThePhysicalMemory) {
  const MemoryUse use = memory_use();
  EXPECT_GT(use.resident_bytes, 0);
  EXPECT_GT(use.peak_bytes, 0);
  EXPECT_LT(use.resident_bytes, physical_memory_bytes());
}

}  // namespace
}  // namespace quantsearch
