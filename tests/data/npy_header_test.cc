#include "data/npy_header.h"

#include <gtest/gtest.h>

#include "data/numpy_files.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

using testing::npy;

/// A source that owns its text.
class TextBytes final : public ByteSource {
 public:
  explicit TextBytes(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] std::int64_t size() const override { return std::ssize(text_); }
  void read(std::int64_t offset, std::span<std::byte> out) const override {
    std::ranges::copy(
        std::as_bytes(std::span(text_)).subspan(static_cast<std::size_t>(offset), out.size()),
        out.begin());
  }

 private:
  std::string text_;
};

NpyHeader parse(const std::string& dictionary, std::size_t bytes, int version = 1) {
  return read_npy_header(TextBytes(npy(dictionary, std::vector<std::byte>(bytes), version)),
                         "array 'x' of 'f'");
}

std::string header_error(const std::string& file) {
  try {
    (void)read_npy_header(TextBytes(file), "array 'x' of 'f'");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string dictionary_of(const std::string& descr, const std::string& shape) {
  return "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }";
}

TEST(NpyHeader, ReadsTypeOrderAndShape) {
  const NpyHeader header = parse("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", 24);
  EXPECT_EQ(header.type, DataType::float32);
  EXPECT_TRUE(header.fortran_order);
  EXPECT_EQ(header.shape, (Shape{2, 3}));
  EXPECT_FALSE(header.swap_bytes);
  EXPECT_EQ(header.data_offset, 128);
}

TEST(NpyHeader, ReadsEveryNumericType) {
  const std::pair<const char*, DataType> types[] = {
      {"<f2", DataType::float16}, {"<f4", DataType::float32}, {"<f8", DataType::float64},
      {"|b1", DataType::boolean}, {"|i1", DataType::int8},    {"<i2", DataType::int16},
      {"<i4", DataType::int32},   {"<i8", DataType::int64},   {"|u1", DataType::uint8},
      {"<u2", DataType::uint16},  {"<u4", DataType::uint32},  {"<u8", DataType::uint64}};
  for (const auto& [code, type] : types) {
    const auto bytes = static_cast<std::size_t>(bits_of(type) / 8);
    EXPECT_EQ(parse(dictionary_of("'" + std::string(code) + "'", "(1,)"), bytes).type, type)
        << code;
  }
}

TEST(NpyHeader, VersionsTwoAndThreeHaveALongerLength) {
  for (const int version : {2, 3}) {
    EXPECT_EQ(parse(dictionary_of("'>i4'", "(2,)"), 8, version).shape, Shape{2});
  }
}

TEST(NpyHeader, BigEndianElementsAreSwappedAndSingleBytesAreNot) {
  EXPECT_TRUE(parse(dictionary_of("'>i4'", "(1,)"), 4).swap_bytes);
  EXPECT_FALSE(parse(dictionary_of("'>i1'", "(1,)"), 1).swap_bytes);
}

TEST(NpyHeader, ReadsScalarsAndLongSuffixes) {
  EXPECT_EQ(parse(dictionary_of("'<f4'", "()"), 4).shape, Shape{});
  EXPECT_EQ(parse(dictionary_of("\"<f4\"", "(2L, 1L)"), 8).shape, (Shape{2, 1}));
}

TEST(NpyHeader, ReportsWrongFilesInOneSentence) {
  const std::string header =
      "data: array 'x' of 'f' is damaged: its npy header cannot be read; write the file again";
  const std::pair<std::string, std::string> cases[] = {
      {"", "data: array 'x' of 'f' is not a numpy array; write it with numpy.save or numpy.savez"},
      {"hello, this is text",
       "data: array 'x' of 'f' is not a numpy array; write it with numpy.save or numpy.savez"},
      {npy(dictionary_of("'<f4'", "(1,)"), {}, 9),
       "data: array 'x' of 'f' has npy format version 9, expected 1, 2 or 3"},
      {npy("{'descr': '<f4'", {}), header},
      {npy("{'descr': '<f4', 'shape': (1,), }", {}), header},
      {npy(dictionary_of("'<f4'", "(-1,)"), {}), header},
      {npy(dictionary_of("'<f4'", "(99999999999999999999,)"), {}), header},
      {npy(dictionary_of("'<f4'", "(1,)"), {}).substr(0, 40), header},
      {npy(dictionary_of("'|O'", "(1,)"), {}),
       "data: array 'x' of 'f' holds Python objects, expected numbers; save it as a plain numeric "
       "array"},
      {npy(dictionary_of("[('a', '<f4')]", "(1,)"), {}),
       "data: array 'x' of 'f' has structured elements, expected numbers; save each field as an "
       "array of its own"},
      {npy(dictionary_of("'<U7'", "(1,)"), {}),
       "data: array 'x' of 'f' has elements of numpy type '<U7', expected float16, float32, "
       "float64, an integer type or "
       "bool"},
      {npy(dictionary_of("'<c8'", "(1,)"), {}),
       "data: array 'x' of 'f' has elements of numpy type '<c8', expected float16, float32, "
       "float64, an integer type or "
       "bool"},
      {npy(dictionary_of("'<f4'", "(2, 3)"), std::vector<std::byte>(20)),
       "data: array 'x' of 'f' is truncated or damaged: it holds 20 bytes, float32 [2, 3] was "
       "expected; write the file "
       "again"},
      {npy(dictionary_of("'<f4'", "(4611686018427387904, 4611686018427387904)"), {}),
       "data: array 'x' of 'f' is truncated or damaged: it holds 0 bytes, float32 "
       "[4611686018427387904, "
       "4611686018427387904] was expected; write the file again"},
  };
  for (const auto& [file, message] : cases) EXPECT_EQ(header_error(file), message);
}

TEST(NpyHeader, RefusesEveryPrefixOfAFile) {
  const std::string file = npy(dictionary_of("'<f4'", "(2,)"), std::vector<std::byte>(8));
  for (std::size_t length = 0; length < file.size(); ++length) {
    EXPECT_NE(header_error(file.substr(0, length)), "no error") << length;
  }
}

}  // namespace
}  // namespace quantsearch
