#include "autosearch/mixed_widths.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

const ObjectiveName kL2{.name = "L2", .goal = Goal::minimize};

Space space_of(const std::string& option, std::vector<Value> choices) {
  return Space({{.name = option, .choices = std::move(choices)}});
}

TEST(MixedWidths, GiveAWarningWhenADistanceRanksThem) {
  EXPECT_EQ(mixed_widths_warning(kL2, {}, space_of("activation_type", {"QUInt8", "QInt16"})),
            "the space holds 8-bit and 16-bit activations and L2 measures only how near the float "
            "model a candidate is, so 16 bits win whatever they cost; let top1 or an evaluator "
            "decide, or search the widths apart");
  const auto weights = mixed_widths_warning(kL2, {}, space_of("weight_type", {"QInt16", "QInt8"}));
  ASSERT_TRUE(weights.has_value());
  EXPECT_TRUE(weights->starts_with("the space holds 8-bit and 16-bit weights"));
}

TEST(MixedWidths, GiveNoWarningWhenTheTaskDecides) {
  const Space space = space_of("activation_type", {"QUInt8", "QInt16"});
  for (const char* name : {"top1", "top5", "custom"}) {
    const ObjectiveName task{.name = name, .goal = Goal::maximize};
    EXPECT_EQ(mixed_widths_warning(task, {}, space), std::nullopt) << name;
  }
}

TEST(MixedWidths, OneWidthIsNotMixed) {
  const Space narrow = space_of("activation_type", {"QUInt8", "QInt8"});
  const Space wide = space_of("activation_type", {"QUInt16", "QInt16"});
  EXPECT_EQ(mixed_widths_warning(kL2, {}, narrow), std::nullopt);
  EXPECT_EQ(mixed_widths_warning(kL2, {}, wide), std::nullopt);
  EXPECT_EQ(mixed_widths_warning(kL2, {}, default_space({})), std::nullopt);
}

TEST(MixedWidths, ASpaceWithoutTheTypeUsesThatOfTheBase) {
  const Space joined = Space::union_of(
      {space_of("activation_type", {"QInt16"}), space_of("per_channel", {true, false})});
  EXPECT_NE(mixed_widths_warning(kL2, {}, joined), std::nullopt);
  EXPECT_EQ(mixed_widths_warning(kL2, {{"activation_type", "QInt16"}}, joined), std::nullopt);
}

}  // namespace
}  // namespace quantsearch
