#include "quantsearch/internal/report/point_text.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

Space example_space() {
  return Space({{.name = "activation_type", .choices = {"QuantType.QUInt8"}},
                {.name = "calibrate_method",
                 .choices = {"CalibrationMethod.MinMSE", "PowerOfTwoMethod.MinMSE"}},
                {.name = "include_cle", .choices = {false, true}},
                {.name = "extra_options.FastFinetune.NumIterations", .choices = {100, 200}}});
}

TEST(PointText, ASingleChoiceIsCommonToTheSpace) {
  EXPECT_EQ(PointText::of(example_space()).common(), "activation_type=QUInt8");
  EXPECT_EQ(PointText::of(Space({{.name = "include_cle", .choices = {false, true}}})).common(), "");
}

TEST(PointText, AChoiceThatOnlyOneOfTwoSpacesHasIsNotCommon) {
  const Space both = Space::union_of({Space({{.name = "include_cle", .choices = {true}}}),
                                      Space({{.name = "include_sq", .choices = {true}}})});
  EXPECT_EQ(PointText::of(both).common(), "");
}

TEST(PointText, APointIsShownByWhatDiffersWithShortNames) {
  const PointText names = PointText::of(example_space());
  EXPECT_EQ(names.text({{"activation_type", "QuantType.QUInt8"},
                        {"calibrate_method", "CalibrationMethod.MinMSE"},
                        {"include_cle", true},
                        {"extra_options.FastFinetune.NumIterations", 100}}),
            "calibrate_method=MinMSE NumIterations=100 cle");
  EXPECT_EQ(names.text({{"activation_type", "QuantType.QUInt8"}, {"include_cle", false}}), "-");
}

TEST(PointText, SaysWhetherASwitchMayBeLeftOut) {
  EXPECT_TRUE(PointText::of(example_space()).has_switches());
  EXPECT_FALSE(PointText::of(Space({{.name = "include_cle", .choices = {false}}})).has_switches());
}

TEST(PointText, MethodsOfPowersOfTwoKeepTheirClass) {
  EXPECT_EQ(PointText::of(example_space()).text({{"calibrate_method", "PowerOfTwoMethod.MinMSE"}}),
            "calibrate_method=PowerOfTwoMethod.MinMSE");
}

TEST(PointText, EqualShortNamesKeepTheirGroup) {
  const PointText names = PointText::of(
      Space({{.name = "extra_options.FastFinetune.DataSize", .choices = {1, 2}},
             {.name = "extra_options.AutoMixprecision.DataSize", .choices = {1, 2}}}));
  EXPECT_EQ(names.text({{"extra_options.FastFinetune.DataSize", 1}}), "FastFinetune.DataSize=1");
}

TEST(PointText, LongValuesAreLettersThatAreExplained) {
  const Value::List nodes = {"first/node", "second/node", "third/node", "fourth/node"};
  const PointText names =
      PointText::of(Space({{.name = "nodes_to_exclude", .choices = {Value::List{}, nodes}}}));
  EXPECT_EQ(names.text({{"nodes_to_exclude", nodes}}), "nodes_to_exclude=B");
  EXPECT_EQ(names.spelled_out({{"nodes_to_exclude", nodes}}),
            "nodes_to_exclude=(first/node, second/node, third/node and 1 more)");
  EXPECT_EQ(names.letters(),
            (std::vector<std::string>{
                "nodes_to_exclude=A: none",
                "nodes_to_exclude=B: 4 in all, first/node, second/node, third/node and 1 more"}));
}

TEST(PointText, OfPointsIsWhatEachOfThemHas) {
  const Point first = {{"include_cle", false}, {"weight_type", "QInt8"}};
  const Point second = {{"include_cle", false}, {"weight_type", "QInt16"}};
  const PointText names = PointText::of(std::vector<const Point*>{&first, &second});
  EXPECT_EQ(names.common(), "cle=false");
  EXPECT_EQ(names.text(second), "weight_type=QInt16");
  EXPECT_EQ(PointText::of(std::vector<const Point*>{&first}).common(), "");
}

}  // namespace
}  // namespace quantsearch
