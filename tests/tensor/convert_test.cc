#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantsearch/tensor.h"

namespace quantsearch {
namespace {

TEST(Convert, RoundsHalfToEvenAndSaturates) {
  const Tensor tensor = Tensor::of<float>({6}, {0.5F, 1.5F, -2.5F, 300.0F, -300.0F, std::nanf("")});
  const Tensor converted = convert(tensor, DataType::int8);
  EXPECT_EQ(converted, Tensor::of<std::int8_t>({6}, {0, 2, -2, 127, -128, 0}));
}

TEST(Convert, WideIntegersSaturate) {
  const Tensor tensor = Tensor::of<std::int64_t>(
      {3}, {std::numeric_limits<std::int64_t>::min(), 7, std::int64_t{1} << 40});
  EXPECT_EQ(convert(tensor, DataType::uint8), Tensor::of<std::uint8_t>({3}, {0, 7, 255}));
}

TEST(Convert, FourBitValuesPackLowNibbleFirst) {
  const Tensor tensor = Tensor::of<std::int8_t>({3}, {-8, 7, -1});
  const Tensor packed = convert(tensor, DataType::int4);
  ASSERT_EQ(packed.bytes().size(), 2U);
  EXPECT_EQ(packed.bytes()[0], std::byte{0x78});
  EXPECT_EQ(packed.bytes()[1], std::byte{0x0f});
  EXPECT_EQ(convert(packed, DataType::int8), tensor);
}

TEST(Convert, HalvesBecomeFloats) {
  const Tensor tensor = Tensor::of<Float16>({2}, {to_float16(0.5F), to_float16(-3.0F)});
  EXPECT_EQ(to_float32(tensor), Tensor::of<float>({2}, {0.5F, -3.0F}));
}

TEST(Convert, StringsAreUnsupported) {
  EXPECT_THROW((void)to_float32(Tensor::of_strings({1}, {"a"})), Unsupported);
}

TEST(ToInt64s, RefusesFloats) {
  EXPECT_EQ(to_int64s(Tensor::of<std::int32_t>({2}, {1, -5})), (std::vector<std::int64_t>{1, -5}));
  EXPECT_THROW((void)to_int64s(Tensor::scalar(1.0F)), InvalidInput);
}

TEST(ConcatenateRows, StacksAndRefusesOtherShapes) {
  const std::vector<Tensor> parts = {Tensor::of<float>({1, 2}, {1, 2}),
                                     Tensor::of<float>({2, 2}, {3, 4, 5, 6})};
  EXPECT_EQ(concatenate_rows(parts), Tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6}));
  const std::vector<Tensor> bad = {parts[0], Tensor::of<float>({1, 3}, {1, 2, 3})};
  EXPECT_THROW((void)concatenate_rows(bad), InvalidInput);
}

TEST(CountNonFinite, CountsEachKind) {
  const float infinity = std::numeric_limits<float>::infinity();
  const NonFinite counts =
      count_non_finite(Tensor::of<float>({4}, {1, infinity, std::nanf(""), -infinity}));
  EXPECT_EQ(counts.nan, 1);
  EXPECT_EQ(counts.infinite, 2);
  EXPECT_EQ(count_non_finite(Tensor::of<float>({1}, {std::numeric_limits<float>::max()})).infinite,
            0);
}

}  // namespace
}  // namespace quantsearch
