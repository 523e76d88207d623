#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

TEST(ParseYaml, ReadsPlainScalarsByTheCoreSchema) {
  const Value value = parse_yaml(
      "{a: 1, b: 1e-4, c: true, d: null, e: '5', f: QInt8, g: -1, h: [0.5, x], i: False}", "t");
  EXPECT_TRUE(value.find("a")->is_int());
  EXPECT_EQ(value.find("b")->as_double(), 1e-4);
  EXPECT_TRUE(value.find("c")->as_bool());
  EXPECT_TRUE(value.find("d")->is_null());
  EXPECT_EQ(value.find("e")->as_string(), "5");
  EXPECT_EQ(value.find("f")->as_string(), "QInt8");
  EXPECT_EQ(value.find("g")->as_int(), -1);
  EXPECT_EQ(value.find("h")->as_list()[1].as_string(), "x");
  EXPECT_FALSE(value.find("i")->as_bool());
}

TEST(ParseYaml, ADuplicateKeyIsAnErrorWithItsLine) {
  try {
    (void)parse_yaml("a: 1\nb: 2\na: 3\n", "c.yaml");
    FAIL() << "no error";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "configuration 'c.yaml' line 3: key 'a' appears twice");
  }
}

TEST(ParseYaml, ASyntaxErrorNamesLineAndColumn) {
  try {
    (void)parse_yaml("a: [1, 2\nb: 3\n", "c.yaml");
    FAIL() << "no error";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("'c.yaml' is not valid YAML: line 2"),
              std::string::npos)
        << error.what();
  }
}

TEST(ParseJson, RejectsDuplicateKeysAndTrailingText) {
  EXPECT_THROW((void)parse_json(R"({"a":1,"a":2})", "t"), InvalidInput);
  EXPECT_THROW((void)parse_json("{} x", "t"), InvalidInput);
}

TEST(ParseJson, NestedListsAndMapsComeBackTheSame) {
  const std::string text = R"({"a":[1,[2.5,"x"],{"b":null}],"c":{},"d":[]})";
  EXPECT_EQ(to_json(parse_json(text, "t")), text);
}

TEST(ToJson, DoublesReadBackTheSameAndNonFiniteBecomesNull) {
  const double third = 1.0 / 3;
  EXPECT_EQ(parse_json(to_json(third), "t").as_double(), third);
  EXPECT_EQ(to_json(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(ToYaml, WhatIsWrittenReadsBackEqual) {
  Value value;
  value.set("text", "plain");
  value.set("number_like", "5");
  value.set("truth_like", "true");
  value.set("colon", "a: b");
  value.set("not_yaml", "--evaluator '{server: [a.py], direction: {bytes'");
  value.set("empty", "");
  value.set("regex", "^conv.*");
  value.set("list", Value::List{1, 0.001, false, Value::List{"x", "y, z"}});
  value.set("nested", Value::Map{{"a", Value()}, {"b", 1e-7}});
  EXPECT_EQ(parse_yaml(to_yaml(value), "t"), value) << to_yaml(value);
}

TEST(LoadConfigFile, ChoosesTheFormatByExtension) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "a.json", R"({"x": 1})");
  write_file_atomically(folder.path() / "a.yaml", "x: 1\n");
  EXPECT_EQ(load_config_file(folder.path() / "a.json"), load_config_file(folder.path() / "a.yaml"));
}

}  // namespace
}  // namespace quantsearch
