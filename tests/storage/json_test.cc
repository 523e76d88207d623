#include "storage/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(PythonJson, WritesWhatPythonWrites) {
  EXPECT_EQ(write_json(Value::List{kInfinity, -kInfinity, std::nan(""), 1.0, 1, "a\"", Value()}),
            R"([Infinity,-Infinity,NaN,1.0,1,"a\"",null])");
  EXPECT_EQ(write_json(Value::Map{{"a\n", Value::Map{}}, {"b", Value::List{}}}),
            R"({"a\n":{},"b":[]})");
}

TEST(PythonJson, ReadsWhatPythonWrites) {
  const Value value = read_json(R"({"z": [Infinity, -Infinity, NaN, -1], "NaN": "Infinity"})", "x");
  const Value::List& list = value.find("z")->as_list();
  EXPECT_EQ(list[0].as_double(), kInfinity);
  EXPECT_EQ(list[1].as_double(), -kInfinity);
  EXPECT_TRUE(std::isnan(list[2].as_double()));
  EXPECT_EQ(list[3].as_int(), -1);
  EXPECT_EQ(value.find("NaN")->as_string(), "Infinity");
  EXPECT_EQ(read_json("Infinity", "x").as_double(), kInfinity);
}

TEST(PythonJson, KeepsNanAndInfinityInsideStrings) {
  const Value value = Value::List{"NaN", "a \"NaN\" \\", "-Infinity", kInfinity, "\\"};
  EXPECT_EQ(read_json(write_json(value), "x"), value);
}

TEST(PythonJson, RefusesTextThatIsNotJson) {
  for (const char* text : {"", "NaNs", "[Infinity", "Infinity Infinity", "{NaN: 1}x", "\"NaN"}) {
    EXPECT_THROW((void)read_json(text, "x"), InvalidInput) << text;
  }
}

}  // namespace
}  // namespace quantsearch
