#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "quantsearch/tensor.h"

namespace quantsearch {
namespace {

TEST(Float16, RoundsHalfToEvenAndOverflowsToInfinity) {
  EXPECT_EQ(to_float16(1.0F).bits, 0x3c00);
  EXPECT_EQ(to_float16(-2.0F).bits, 0xc000);
  EXPECT_EQ(to_float16(65504.0F).bits, 0x7bff);
  EXPECT_EQ(to_float16(65519.0F).bits, 0x7bff);
  EXPECT_EQ(to_float16(65520.0F).bits, 0x7c00);  // the tie above the largest goes to infinity
  EXPECT_EQ(to_float16(0x1.0p-24F).bits, 0x0001);
  EXPECT_EQ(to_float16(0x1.0p-25F).bits, 0x0000);             // tie to even
  EXPECT_EQ(to_float16(1.0F + 0x1.0p-11F).bits, 0x3c00);      // tie to even, down
  EXPECT_EQ(to_float16(1.0F + 3 * 0x1.0p-11F).bits, 0x3c02);  // tie to even, up
  EXPECT_EQ(to_float16(-0.0F).bits, 0x8000);
}

TEST(Float16, EveryHalfSurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Float16 half{static_cast<std::uint16_t>(bits)};
    const float wide = to_float(half);
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(to_float(to_float16(wide))));
    } else {
      EXPECT_EQ(to_float16(wide).bits, bits);
    }
  }
}

TEST(BFloat16, RoundsHalfToEvenAndKeepsNan) {
  EXPECT_EQ(to_bfloat16(1.0F).bits, 0x3f80);
  EXPECT_EQ(to_bfloat16(1.0F + 0x1.0p-8F).bits, 0x3f80);
  EXPECT_EQ(to_bfloat16(1.0F + 3 * 0x1.0p-8F).bits, 0x3f82);
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::max()).bits, 0x7f80);
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::nanf("")))));
}

}  // namespace
}  // namespace quantsearch
