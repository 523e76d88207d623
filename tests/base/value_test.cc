#include "quantsearch/base/value.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

TEST(Value, WholeDoublesReadAsIntegersAndIntegersAsDoubles) {
  EXPECT_EQ(Value(1000.0).as_int(), 1000);
  EXPECT_EQ(Value(3).as_double(), 3.0);
  EXPECT_THROW((void)Value(0.5).as_int(), InvalidInput);
}

TEST(Value, SaysWhatItGotAndWhatWasExpected) {
  try {
    (void)Value("yes").as_bool();
    FAIL() << "no error";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "got string \"yes\", expected true or false");
  }
}

TEST(Value, MappingsAreEqualInAnyOrder) {
  Value a;
  a.set("x", 1);
  a.set("y", "b");
  Value b;
  b.set("y", "b");
  b.set("x", 1.0);
  EXPECT_EQ(a, b);
  b.set("x", 2);
  EXPECT_NE(a, b);
}

TEST(Value, SetReplacesAndKeepsTheOrder) {
  Value map;
  map.set("b", 1);
  map.set("a", 2);
  map.set("b", 3);
  EXPECT_EQ(to_json(map), R"({"b":3,"a":2})");
}

TEST(Value, BooleansAreNotNumbers) { EXPECT_NE(Value(true), Value(1)); }

}  // namespace
}  // namespace quantsearch
