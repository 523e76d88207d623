#include "quantsearch/internal/report/text.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(Wrapped, BreaksAtBlanks) {
  EXPECT_EQ(wrapped("the quick brown fox jumps", {.width = 20, .indent = 2}),
            "the quick brown fox\n  jumps\n");
  EXPECT_EQ(wrapped("fits in the line", {.width = 20}), "fits in the line\n");
  EXPECT_EQ(wrapped("", {.width = 20}), "\n");
}

TEST(Wrapped, BeginsTheFirstLineWithItsText) {
  EXPECT_EQ(wrapped("one two three four", {.width = 20, .indent = 6, .first = "name: "}),
            "name: one two three\n      four\n");
}

TEST(Wrapped, KeepsTheLinesAndBlanksOfTheText) {
  EXPECT_EQ(wrapped("  indented  text\n\nlast", {.width = 20, .indent = 4}),
            "  indented  text\n\nlast\n");
}

TEST(Wrapped, BreaksAWordThatIsWiderThanALine) {
  EXPECT_EQ(wrapped("name " + std::string(30, 'x'), {.width = 20, .indent = 2}),
            "name\n  " + std::string(18, 'x') + "\n  " + std::string(12, 'x') + "\n");
}

TEST(Wrapped, CountsCharactersAndNotBytes) {
  const std::string word =
      "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9";  // five characters of two bytes
  EXPECT_EQ(columns_of(word), 5U);
  EXPECT_EQ(wrapped(word + " " + word + " " + word + " " + word, {.width = 20}),
            word + " " + word + " " + word + "\n" + word + "\n");
}

TEST(TextTable, AlignsColumns) {
  EXPECT_EQ(text_table({{"a", "1", "x"}, {"bcd", "22", "yz"}}),
            "a     1  x\n"
            "bcd  22  yz\n");
  EXPECT_EQ(text_table({}), "");
}

TEST(TextTable, ContinuesALastColumnUnderItself) {
  EXPECT_EQ(text_table({{"a", "one two three four"}}, 20), "a  one two three\n   four\n");
}

TEST(TextTable, GivesALastColumnWithoutRoomLinesOfItsOwn) {
  EXPECT_EQ(text_table({{"a name that is long", "1", "one two three"}}, 24),
            "a name that is long  1\n    one two three\n");
  EXPECT_EQ(text_table({{"a name that is long", "12", ""}}, 24), "a name that is long  12\n");
}

}  // namespace
}  // namespace quantsearch
