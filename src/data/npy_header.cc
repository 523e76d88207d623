#include "data/npy_header.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
// numpy's own limit for untrusted headers is 10,000.
constexpr std::int64_t kLongestHeader = 1 << 20;
constexpr std::string_view kSpace = " \t\r\n";

/// Reads the dictionary that numpy writes. Its keys are strings; its values are strings, True,
/// False or tuples of integers.
class HeaderText {
 public:
  HeaderText(std::string_view text, const std::string& description)
      : rest_(text), description_(description) {}

  /// Skips white space. Returns true when `wanted` came next and has been consumed.
  bool take(std::string_view wanted) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }

  void expect(std::string_view wanted) {
    if (!take(wanted)) fail();
  }

  [[nodiscard]] bool next_is(std::string_view wanted) {
    HeaderText ahead = *this;
    return ahead.take(wanted);
  }

  [[nodiscard]] std::string_view string() {
    const char quote = take("'") ? '\'' : '"';
    if (quote == '"') expect("\"");
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) fail();
    const std::string_view content = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return content;
  }

  [[nodiscard]] bool boolean() {
    if (take("True")) return true;
    expect("False");
    return false;
  }

  [[nodiscard]] Shape tuple() {
    Shape shape;
    expect("(");
    while (!take(")")) {
      shape.push_back(integer());
      if (!take(",") && !next_is(")")) fail();
    }
    return shape;
  }

  [[noreturn]] void fail() const {
    throw InvalidInput(fmt::format(
        "data: {} is damaged: its npy header cannot be read; write the file again", description_));
  }

 private:
  [[nodiscard]] std::int64_t integer() {
    (void)take("");
    std::int64_t value = 0;
    const auto result = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (result.ec != std::errc() || value < 0) fail();
    rest_.remove_prefix(static_cast<std::size_t>(result.ptr - rest_.data()));
    (void)take("L");  // the suffix of long integers in Python 2
    return value;
  }

  std::string_view rest_;
  const std::string& description_;
};

struct ElementType {
  std::string_view code;
  DataType type;
};

constexpr ElementType kElementTypes[] = {
    {"f2", DataType::float16}, {"f4", DataType::float32}, {"f8", DataType::float64},
    {"b1", DataType::boolean}, {"i1", DataType::int8},    {"i2", DataType::int16},
    {"i4", DataType::int32},   {"i8", DataType::int64},   {"u1", DataType::uint8},
    {"u2", DataType::uint16},  {"u4", DataType::uint32},  {"u8", DataType::uint64},
};

void read_type(std::string_view descr, const std::string& description, NpyHeader& header) {
  if (descr.ends_with('O')) {
    throw Unsupported(fmt::format(
        "data: {} holds Python objects, expected numbers; save it as a plain numeric array",
        description));
  }
  const std::string_view code = descr.empty() ? descr : descr.substr(1);
  const auto* const known = std::ranges::find(kElementTypes, code, &ElementType::code);
  if (known == std::end(kElementTypes) ||
      std::string_view("<>=|").find(descr[0]) == std::string_view::npos) {
    throw Unsupported(fmt::format(
        "data: {} has elements of numpy type '{}', expected float16, float32, float64, an "
        "integer type or bool",
        description, descr));
  }
  header.type = known->type;
  constexpr char kForeign = std::endian::native == std::endian::little ? '>' : '<';
  header.swap_bytes = descr[0] == kForeign && bits_of(header.type) > 8;
}

NpyHeader parse_dictionary(std::string_view dictionary, const std::string& description) {
  HeaderText text(dictionary, description);
  NpyHeader header;
  std::optional<std::string_view> descr;
  bool has_order = false;
  bool has_shape = false;
  text.expect("{");
  while (!text.take("}")) {
    const std::string_view key = text.string();
    text.expect(":");
    if (key == "descr" && text.next_is("[")) {
      throw Unsupported(fmt::format(
          "data: {} has structured elements, expected numbers; save each field as an array "
          "of its own",
          description));
    }
    if (key == "descr") {
      descr = text.string();
    } else if (key == "fortran_order") {
      header.fortran_order = text.boolean();
      has_order = true;
    } else if (key == "shape") {
      header.shape = text.tuple();
      has_shape = true;
    } else {
      text.fail();
    }
    if (!text.take(",") && !text.next_is("}")) text.fail();
  }
  if (!descr || !has_order || !has_shape) text.fail();
  read_type(*descr, description, header);
  return header;
}

/// The bytes that the shape requires; nullopt when no file could hold them.
std::optional<std::int64_t> bytes_wanted(const NpyHeader& header) {
  try {
    return byte_count(header.type, header.shape);
  } catch (const InvalidInput&) {
    return std::nullopt;
  }
}

}  // namespace

NpyHeader read_npy_header(const ByteSource& bytes, const std::string& description) {
  const auto fail = [&]() { HeaderText({}, description).fail(); };
  std::array<std::byte, 12> start{};
  const std::int64_t available = std::min<std::int64_t>(bytes.size(), std::ssize(start));
  bytes.read(0, std::span(start).first(static_cast<std::size_t>(available)));
  const auto byte = [&](std::size_t index) { return std::to_integer<std::int64_t>(start[index]); };
  if (available < 10 ||
      !std::equal(kMagic.begin(), kMagic.end(), reinterpret_cast<const char*>(start.data()))) {
    throw InvalidInput(fmt::format(
        "data: {} is not a numpy array; write it with numpy.save or numpy.savez", description));
  }
  const std::int64_t version = byte(6);
  if (version < 1 || version > 3) {
    throw Unsupported(fmt::format("data: {} has npy format version {}, expected 1, 2 or 3",
                                  description, version));
  }
  const std::int64_t length = version == 1
                                  ? byte(8) + (byte(9) << 8)
                                  : byte(8) + (byte(9) << 8) + (byte(10) << 16) + (byte(11) << 24);
  const std::int64_t header_start = version == 1 ? 10 : 12;
  if (length > kLongestHeader || header_start + length > bytes.size()) fail();
  std::string text(static_cast<std::size_t>(length), '\0');
  bytes.read(header_start, std::as_writable_bytes(std::span(text)));

  NpyHeader header = parse_dictionary(text, description);
  header.data_offset = header_start + length;
  const std::int64_t held = bytes.size() - header.data_offset;
  if (bytes_wanted(header) != held) {
    throw InvalidInput(fmt::format(
        "data: {} is truncated or damaged: it holds {} bytes, {} {} was expected; write the "
        "file again",
        description, held, to_string(header.type), to_string(header.shape)));
  }
  return header;
}

}  // namespace quantsearch
