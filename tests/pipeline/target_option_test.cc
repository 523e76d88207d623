#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/pipeline/settings.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

Settings settings_of(const std::string& text) { return settings_from(parse_yaml(text, "test")); }

Target target_of(const std::string& text) { return resolve(settings_of(text)).quantize.target; }

TEST(TargetOption, IsTheCpuUnlessAPresetImpliesAnother) {
  EXPECT_EQ(target_of("{}"), Target::cpu);
  EXPECT_EQ(target_of("preset: U8S8_CPU"), Target::cpu);
  EXPECT_EQ(target_of("preset: XINT8"), Target::npu_cnn);
  EXPECT_EQ(target_of("{preset: U8S8_AAWS, target: cpu-vnni}"), Target::cpu_vnni);
}

TEST(TargetOption, AndEnableNpuCnnMustAgree) {
  EXPECT_EQ(contradiction(settings_of("{preset: XINT8, target: cpu}")),
            "enable_npu_cnn is for the target npu-cnn");
  EXPECT_EQ(contradiction(settings_of("target: npu-cnn")),
            "target npu-cnn needs enable_npu_cnn, as the preset XINT8 has it");
  EXPECT_EQ(contradiction(settings_of("{preset: XINT8, target: npu-cnn}")), std::nullopt);
}

TEST(TargetOption, HasAnEffectWhereAKernelCouldSaturate) {
  EXPECT_TRUE(has_effect("target", settings_of("{activation_type: QInt8}")));
  EXPECT_FALSE(has_effect("target", settings_of("{weight_type: QUInt8}")));
  EXPECT_FALSE(has_effect("target", settings_of("{activation_type: QUInt16}")));
  EXPECT_TRUE(
      has_effect("target", settings_of("{activation_type: QUInt16, include_auto_mp: true}")));
}

TEST(TargetOption, ChoosesThePresetWithoutOtherSettings) {
  EXPECT_EQ(with_target(std::nullopt, "npu-cnn").at("calibrate_method"),
            Value("PowerOfTwoMethod.MinMSE"));
  EXPECT_EQ(with_target(std::nullopt, "cpu-vnni").at("per_channel"), Value(true));
  EXPECT_EQ(with_target(settings_of("{weight_type: QUInt8}"), "cpu").at("target"), Value("cpu"));
}

TEST(TargetOption, IsRefusedWhenUnknownOrGivenWithTwoValues) {
  EXPECT_EQ(message_of([] { (void)with_target(std::nullopt, "cpu-vni"); }),
            "configuration: 'target': unknown value 'cpu-vni'; nearest known: 'cpu-vnni'");
  EXPECT_EQ(message_of([] { (void)with_target(settings_of("{target: cpu}"), "cpu-vnni"); }),
            "configuration: 'target' is \"cpu-vnni\" and in 'quantization_config' \"cpu\", "
            "expected it once");
}

}  // namespace
}  // namespace quantsearch
