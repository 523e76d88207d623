#include "quantsearch/internal/base/names.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

const std::vector<std::string> kKnown = {"calibrate_method", "activation_type", "weight_type",
                                         "include_cle"};

TEST(UnknownName, SuggestsTheNearestFirst) {
  EXPECT_EQ(unknown_name_message("key", "weigth_type", kKnown),
            "unknown key 'weigth_type'; nearest known: 'weight_type'");
}

TEST(UnknownName, IgnoresCase) {
  EXPECT_EQ(nearest_names("INCLUDE_CLE", kKnown), std::vector<std::string>{"include_cle"});
}

TEST(UnknownName, ListsAllWhenNothingIsNear) {
  EXPECT_EQ(unknown_name_message("key", "zzz", std::vector<std::string>{"a", "b"}),
            "unknown key 'zzz'; known: 'a', 'b'");
}

TEST(SomeOf, CountsWhatItDoesNotName) {
  const std::vector<std::string> names = {"a", "b", "c"};
  EXPECT_EQ(some_of(names, 2), "a, b and 1 more");
  EXPECT_EQ(some_of(names, 3), "a, b, c");
  EXPECT_EQ(some_of({}, 3), "");
}

TEST(UnknownName, APartOfALongNameIsNear) {
  EXPECT_EQ(nearest_names("conv1", std::vector<std::string>{"/backbone/conv1/Conv", "/head/Gemm"}),
            std::vector<std::string>{"/backbone/conv1/Conv"});
}

}  // namespace
}  // namespace quantsearch
