#include "autosearch/stages.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

const std::string kRate = "extra_options.FastFinetune.LearningRate";
const std::string kJoint = "extra_options.FastFinetune.NumIterLR";

Space joint_space() {
  return Space({{.name = "calibrate_method", .choices = {"MinMax", "Entropy"}},
                {.name = "per_channel", .choices = {false, true}},
                {.name = "include_fast_ft", .choices = {false, true}},
                {.name = kRate, .choices = {0.1, 0.01, 0.001}}});
}

TEST(Stages, TheFirstHasNoFineTuning) {
  const Space first = first_stage(joint_space());
  EXPECT_EQ(first.size(), 4);
  EXPECT_EQ(to_string(first.at(0)),
            "calibrate_method=MinMax include_fast_ft=false per_channel=false");
}

TEST(Stages, TheSecondFixesTheSettingsOfTheWinner) {
  const Space second =
      second_stage(
          joint_space(),
          {{{"calibrate_method", "Entropy"}, {"per_channel", true}, {"include_fast_ft", false}}})
          .value();
  EXPECT_EQ(second.size(), 3);
  EXPECT_EQ(to_string(second.at(1)),
            "calibrate_method=Entropy extra_options.FastFinetune.LearningRate=0.01 "
            "include_fast_ft=true per_channel=true");
}

TEST(Stages, SeveralWinnersAreAUnion) {
  const Space second =
      second_stage(joint_space(), {{{"calibrate_method", "Entropy"}, {"per_channel", true}},
                                   {{"calibrate_method", "MinMax"}, {"per_channel", true}}})
          .value();
  EXPECT_EQ(second.size(), 6);
  EXPECT_EQ(second.products().size(), 2U);
}

TEST(Stages, TheJointParameterStaysAPair) {
  const Space space({{.name = "per_channel", .choices = {false, true}},
                     {.name = "include_fast_ft", .choices = {true}},
                     {.name = kJoint, .choices = {Value::List{100, 0.1}, Value::List{200, 0.01}}}});
  const Space second = second_stage(space, {{{"per_channel", false}}}).value();
  EXPECT_EQ(second.size(), 2);
  EXPECT_EQ(second.at(1).at(kJoint), Value(Value::List{200, 0.01}));
}

TEST(Stages, AWinnerIsTunedInTheSpacesThatContainIt) {
  const Space plain({{.name = "per_channel", .choices = {false, true}}});
  const Space tuned(
      {{.name = "per_channel", .choices = {true}}, {.name = "include_fast_ft", .choices = {true}}});
  const Space both = Space::union_of({plain, tuned});
  EXPECT_TRUE(has_finetuning(both));
  EXPECT_FALSE(has_finetuning(plain));
  EXPECT_EQ(
      second_stage(both, {{{"per_channel", true}, {"include_fast_ft", false}}}).value().size(), 1);
  EXPECT_FALSE(second_stage(both, {{{"per_channel", false}, {"include_fast_ft", false}}}));
}

TEST(Stages, ASettingWithoutEffectInTheWinnerTakesItsFirstValue) {
  const Space space({{.name = "calibrate_method", .choices = {"MinMax"}},
                     {.name = "extra_options.Percentile", .choices = {99.9, 99.99}},
                     {.name = "include_fast_ft", .choices = {true}}});
  const Space second =
      second_stage(space, {{{"calibrate_method", "MinMax"}, {"include_fast_ft", false}}}).value();
  EXPECT_EQ(second.size(), 1);
}

const std::string kTarget = "extra_options.AutoMixprecision.L2Target";

Space space_with_formats(const Value::List& positions) {
  return Space({{.name = "per_channel", .choices = {false, true}},
                {.name = "include_auto_mp", .choices = positions},
                {.name = kTarget, .choices = {0.1, 0.2}},
                {.name = "include_fast_ft", .choices = {false, true}},
                {.name = kRate, .choices = {0.1, 0.01}}});
}

std::vector<std::string> points_of(const Space& space) {
  std::vector<std::string> points;
  for (std::int64_t i = 0; i < space.size(); ++i) points.push_back(to_string(space.at(i)));
  return points;
}

TEST(Stages, MixedPrecisionMayBeDeferredToo) {
  const Space space = space_with_formats({false, true});
  const Space first = first_stage(space, Deferred::finetuning_and_formats);
  EXPECT_EQ(points_of(first), (std::vector<std::string>{
                                  "include_auto_mp=false include_fast_ft=false per_channel=false",
                                  "include_auto_mp=false include_fast_ft=false per_channel=true"}));
  const Space second = second_stage(space, {first.at(1)}, Deferred::finetuning_and_formats).value();
  // With fine-tuning there are both positions, both targets and both rates; without it, mixed
  // precision with both targets.
  EXPECT_EQ(second.size(), 2 * 2 * 2 + 2);
  const std::vector<std::string> points = points_of(second);
  EXPECT_EQ(points.back(),
            "extra_options.AutoMixprecision.L2Target=0.2 include_auto_mp=true "
            "include_fast_ft=false per_channel=true");
  for (const std::string& point : points) EXPECT_TRUE(point.ends_with("per_channel=true")) << point;
}

TEST(Stages, MixedPrecisionThatIsAlwaysOnIsNotDeferred) {
  const Space space = space_with_formats({true});
  EXPECT_EQ(first_stage(space, Deferred::finetuning_and_formats).size(), first_stage(space).size());
  const Point winner = first_stage(space).at(0);
  EXPECT_EQ(second_stage(space, {winner}, Deferred::finetuning_and_formats).value().size(),
            second_stage(space, {winner}).value().size());
}

TEST(Stages, NamesTheVariedFineTuningSettings) {
  EXPECT_EQ(varied_finetune_settings(joint_space()), (std::vector<std::string>{kRate}));
  const Space real({{.name = "include_fast_ft", .choices = {true}},
                    {.name = kRate, .choices = {}, .range = FloatRange{.low = 0.1, .high = 1}}});
  EXPECT_EQ(varied_finetune_settings(real), (std::vector<std::string>{kRate}));
}

}  // namespace
}  // namespace quantsearch
