#include "evaluate/tasks/entries_by_name.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(EntriesByName, OfTwoEntriesOfOneNameTheFolderDecides) {
  const EntriesByName entries({"x/1.jpg", "y/1.jpg", "y/2.jpg", ""});
  EXPECT_EQ(entries.find("y/1.jpg"), 1U);
  EXPECT_EQ(entries.find("1.jpg"), std::nullopt);
  EXPECT_EQ(entries.find("2.jpg"), 2U);
  EXPECT_EQ(entries.find(""), std::nullopt);
}

}  // namespace
}  // namespace quantsearch
