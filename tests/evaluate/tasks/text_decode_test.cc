#include "evaluate/tasks/text_decode.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

std::vector<std::int64_t> collapsed(std::vector<std::int64_t> path, std::int64_t blank) {
  return collapse(path, blank);
}

std::int64_t distance_of(std::string_view a, std::string_view b) {
  return edit_distance(code_points(a), code_points(b));
}

TEST(Collapse, DropsRepetitionsAndBlanks) {
  using Path = std::vector<std::int64_t>;
  EXPECT_EQ(collapsed({0, 3, 3, 0, 3, 5, 5, 0}, 0), (Path{3, 3, 5}));
  EXPECT_EQ(collapsed({2, 2, 9, 1, 9}, 9), (Path{2, 1}));
  EXPECT_EQ(collapsed({0, 0}, 0), Path{});
  EXPECT_EQ(collapsed({}, 0), Path{});
}

TEST(EditDistance, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(distance_of("kitten", "sitting"), 3);
  EXPECT_EQ(distance_of("", "abc"), 3);
  EXPECT_EQ(distance_of("abc", ""), 3);
  EXPECT_EQ(distance_of("flaw", "lawn"), 2);
  EXPECT_EQ(distance_of("same", "same"), 0);
}

TEST(EditDistance, IsOfCharactersAndNotOfBytes) { EXPECT_EQ(distance_of("größe", "grösse"), 2); }

TEST(CodePoints, OfUtf8) {
  EXPECT_EQ(code_points("aä中😀"), (Symbols{'a', 0xE4, 0x4E2D, 0x1F600}));
  EXPECT_EQ(code_points("\xC3"), Symbols{0xC3});  // a sequence that is cut off
}

TEST(Lines, KeepEmptyOnesAndBlanks) {
  EXPECT_EQ(lines_of("a\r\n\n \n"), (std::vector<std::string>{"a", "", " "}));
  EXPECT_EQ(lines_of("a\nb"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(lines_of("").empty());
}

TEST(Characters, TheBlankAndTheSpaceMayBeLeftOut) {
  const Symbols none;
  const std::vector<Symbols> all = {none, {'a'}, {'b'}};
  EXPECT_EQ(characters_of({"", "a", "b"}, 3, 0), all);
  EXPECT_EQ(characters_of({"a", "b"}, 3, 0), all);
  EXPECT_EQ(characters_of({"a", "b"}, 3, 2), (std::vector<Symbols>{{'a'}, {'b'}, none}));
  EXPECT_EQ(characters_of({"a", "b"}, 4, 0), (std::vector<Symbols>{none, {'a'}, {'b'}, {' '}}));
  EXPECT_TRUE(characters_of({"a", "b"}, 5, 0).empty());
  EXPECT_TRUE(characters_of({"a", "b"}, 1, 0).empty());
}

}  // namespace
}  // namespace quantsearch
