#include "quantsearch/base/log.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(Log, LevelsHaveTheNamesOfTheirEnumerators) {
  EXPECT_EQ(to_string(LogLevel::detail), "detail");
  EXPECT_EQ(to_string(LogLevel::info), "info");
  EXPECT_EQ(to_string(LogLevel::warning), "warning");
  EXPECT_EQ(to_string(LogLevel::error), "error");
}

TEST(Log, AnEmptySinkDropsLines) { EXPECT_NO_THROW(say({}, LogLevel::info, "line")); }

}  // namespace
}  // namespace quantsearch
