#include "quantsearch/internal/data/entries_by_name.h"

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

TEST(EntriesByName, AnEntryMayLeaveOutTheExtension) {
  const EntriesByName entries({"x/1", "2.v1", "3", "3.png"});
  EXPECT_EQ(entries.find("x/1.jpg"), 0U);
  EXPECT_EQ(entries.find("1.webp"), 0U);
  EXPECT_EQ(entries.find("2.v1.png"), 1U);
  EXPECT_EQ(entries.find("2.png"), std::nullopt);
  // The whole name comes before that without the extension.
  EXPECT_EQ(entries.find("3.png"), 3U);
  EXPECT_EQ(entries.find("3.jpg"), 2U);
}

TEST(EntriesByName, TwoEntriesOfOnePathAreNobodys) {
  EXPECT_EQ(EntriesByName({"1.jpg", "1.jpg"}).find("1.jpg"), std::nullopt);
}

std::shared_ptr<const DataSource> named(const std::vector<std::string>& names) {
  const auto count = std::ssize(names);
  return with_names(in_memory_data({{"x", Tensor(DataType::uint8, {count, 1})}}), names);
}

TEST(MatchEntries, EachFileHasAnEntryOfItsOwn) {
  const EntriesByName entries({"b", "a", "c"});
  EXPECT_EQ(match_entries(entries, *named({"a.png", "b.png"})).entries,
            (std::vector<std::size_t>{1, 0}));
  const MatchedEntries missing = match_entries(entries, *named({"a.png", "d.png", "e.png"}));
  ASSERT_TRUE(missing.unmatched);
  EXPECT_EQ(missing.unmatched->name, "d.png");
  EXPECT_EQ(missing.unmatched->same, "");
  const MatchedEntries twice = match_entries(entries, *named({"a.png", "c.png", "a.jpg"}));
  ASSERT_TRUE(twice.unmatched);
  EXPECT_EQ(twice.unmatched->name, "a.jpg");
  EXPECT_EQ(twice.unmatched->same, "a.png");
}

TEST(MatchEntries, SamplesOfOneFileHaveTheSame) {
  EXPECT_EQ(
      match_entries(EntriesByName({"long", "short"}), *named({"long.wav", "long.wav"})).entries,
      (std::vector<std::size_t>{0, 0}));
}

}  // namespace
}  // namespace quantsearch
