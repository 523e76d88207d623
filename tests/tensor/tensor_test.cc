#include "quantsearch/tensor.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(Tensor, ACopySharesItsBytesUntilItIsWritten) {
  const Tensor original = Tensor::of<float>({2}, {1, 2});
  Tensor copy = original;
  EXPECT_EQ(copy.bytes().data(), original.bytes().data());
  copy.mutable_values<float>()[0] = 9;
  EXPECT_EQ(original.values<float>()[0], 1);
  EXPECT_EQ(copy.values<float>()[0], 9);
}

TEST(Tensor, WrappedBytesAreCopiedBeforeWriting) {
  const float values[2] = {1, 2};
  Tensor view = Tensor::wrapping(DataType::float32, {2}, nullptr, std::as_bytes(std::span(values)));
  EXPECT_EQ(static_cast<const void*>(view.bytes().data()), static_cast<const void*>(values));
  view.mutable_values<float>()[0] = 5;
  EXPECT_EQ(values[0], 1);
}

TEST(Tensor, ReadingTheWrongTypeIsAnInternalError) {
  EXPECT_THROW((void)Tensor::scalar(1.0F).values<double>(), InternalError);
}

TEST(Tensor, AWrongNumberOfBytesIsRefused) {
  const std::byte bytes[3] = {};
  EXPECT_THROW((void)Tensor::from_bytes(DataType::float32, {1}, bytes), InvalidInput);
}

TEST(Tensor, RowsShareBytes) {
  const Tensor tensor = Tensor::of<std::int32_t>({3, 2}, {1, 2, 3, 4, 5, 6});
  const Tensor rows = tensor.rows(1, 2);
  EXPECT_EQ(rows, Tensor::of<std::int32_t>({2, 2}, {3, 4, 5, 6}));
  EXPECT_EQ(rows.bytes().data(), tensor.bytes().data() + 8);
}

TEST(Tensor, AnEmptyTensorHasNoElementsAndAScalarHasOne) {
  EXPECT_EQ(Tensor(DataType::float32, {0, 3}).size(), 0);
  EXPECT_EQ(Tensor::scalar(2.0F).size(), 1);
  EXPECT_TRUE(Tensor::scalar(2.0F).shape().empty());
  EXPECT_FALSE(Tensor().is_defined());
}

TEST(ElementCount, RefusesNegativeAndOverflowingShapes) {
  EXPECT_THROW((void)element_count({-1, 2}), InvalidInput);
  EXPECT_THROW((void)element_count({std::int64_t{1} << 40, std::int64_t{1} << 40}), InvalidInput);
  EXPECT_EQ(element_count({0, std::int64_t{1} << 40}), 0);
}

TEST(ByteCount, SubByteTypesRoundUp) {
  EXPECT_EQ(byte_count(DataType::int4, {3}), 2);
  EXPECT_EQ(byte_count(DataType::uint2, {5}), 2);
}

TEST(Tensor, StringsKeepTheirShape) {
  const Tensor tensor = Tensor::of_strings({2, 1}, {"a", "bc"});
  EXPECT_EQ(tensor.strings()[1], "bc");
  EXPECT_EQ(tensor.rows(1, 1).strings(), std::vector<std::string>{"bc"});
}

}  // namespace
}  // namespace quantsearch
