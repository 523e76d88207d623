#include "autosearch/settled_space.h"

#include <gtest/gtest.h>

#include <functional>

#include "autosearch/search_setting.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

using testing::kTune;

std::vector<Value> settled(const std::string& option, std::vector<Value> choices,
                           std::optional<std::int64_t> samples = std::nullopt) {
  return settled_space(Space({{.name = option, .choices = std::move(choices)}}), samples)
      .products()
      .front()
      .front()
      .choices;
}

TEST(SettledSpace, SampleCountsBeyondTheDataMeanAllSamples) {
  const std::vector<Value> asked = {50, 500, 1000, {}};
  for (const std::string& option :
       {kTune + "DataSize", std::string("extra_options.CalibDataSize")}) {
    EXPECT_EQ(settled(option, asked, 100), (std::vector<Value>{50, 100})) << option;
    EXPECT_EQ(settled(option, asked), asked) << option;
  }
  EXPECT_EQ(settled("extra_options.AutoMixprecision.DataSize", {64, 128}, 32),
            std::vector<Value>{32});
  EXPECT_EQ(settled("extra_options.AutoMixprecision.ProbeSize", {4, 64, 128}, 32),
            (std::vector<Value>{4, 32}));
}

TEST(SettledSpace, ARangeOfSampleCountsEndsAtTheNumberOfSamples) {
  const Space space =
      settled_space(Space({{.name = kTune + "DataSize",
                            .choices = {50, 100, 150},
                            .range = IntRange{.low = 50, .high = 150, .step = 50}}}),
                    80);
  EXPECT_EQ(space.products().front().front().choices, (std::vector<Value>{50, 80}));
  EXPECT_FALSE(space.products().front().front().range.has_value());
}

TEST(SettledSpace, ListsThatAreSetsHaveOneOrder) {
  EXPECT_EQ(settled("nodes_to_exclude",
                    {Value::List{"b", "a"}, Value::List{"a", "b", "a"}, Value::List{}}),
            (std::vector<Value>{Value::List{"a", "b"}, Value::List{}}));
  EXPECT_EQ(settled("extra_options.PercentileCandidates",
                    {Value::List{99.9, 99.0}, Value::List{99.0, 99.9, 100.0}}),
            (std::vector<Value>{Value::List{99.0, 99.9, 100.0}}));
}

TEST(SettledSpace, ReadsNamesAndValuesLikeAFile) {
  EXPECT_EQ(settled("calibrate_method", {"MinMax", "CalibrationMethod.MinMax"}),
            std::vector<Value>{"CalibrationMethod.MinMax"});
  EXPECT_EQ(settled_space(
                Space({{.name = "extra_options.NodesToExclude", .choices = {Value::List{}}}}), {})
                .products()
                .front()
                .front()
                .name,
            "nodes_to_exclude");
  try {
    (void)settled("calibration_method", {"MinMax"});
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(
        error.what(),
        "configuration: unknown key 'calibration_method'; nearest known: 'calibrate_method'");
  }
}

TEST(SettledSpace, ABatchLargerThanTheDataIsLeftOut) {
  const Space space({{.name = kTune + "BatchSize", .choices = {1, 8, 64}},
                     {.name = kTune + "DataSize", .choices = {4, 500}}});
  const SpaceSummary summary =
      summarize(settled_space(space, 32), normalize_over({{"include_fast_ft", true}}, nullptr, 32));
  EXPECT_EQ(summary.distinct, 3);  // batch 1 with 4 samples, batches 1 and 8 with 32 samples
  EXPECT_EQ(summary.filtered,
            (std::map<std::string, std::int64_t>{
                {"BatchSize of FastFinetune is larger than the number of samples it reads", 3}}));
}

}  // namespace
}  // namespace quantsearch
