#include "base/arm_features.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

using Names = std::vector<std::string>;

TEST(ArmFeatures, AreDecodedFromTheirBits) {
  EXPECT_EQ(arm_features({}), Names{});
  EXPECT_EQ(arm_features({.hwcap = 0x8ff}), Names{});              // Cortex-A72
  EXPECT_EQ(arm_features({.hwcap = 1U << 20}), Names{"dotprod"});  // Cortex-A76
  EXPECT_EQ(arm_features({.hwcap = (1U << 20) | (1U << 22), .hwcap2 = 1U << 13}),
            Names({"dotprod", "sve", "i8mm"}));  // Neoverse V1
}

TEST(ArmFeatures, AreNotTakenFromTheOtherWord) {
  EXPECT_EQ(arm_features({.hwcap = 1U << 13, .hwcap2 = (1U << 20) | (1U << 22)}), Names{});
}

}  // namespace
}  // namespace quantsearch
