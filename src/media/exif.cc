#include "media/exif.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace quantsearch {

namespace {

constexpr int kUpright = 1;

/// Numbers of a TIFF structure, in the byte order that its first two bytes name.
class TiffReader {
 public:
  explicit TiffReader(std::span<const std::byte> bytes)
      : bytes_(bytes), is_big_endian_(bytes.size() > 1 && bytes[0] == std::byte{'M'}) {}

  [[nodiscard]] std::optional<std::uint32_t> number(std::size_t place, std::size_t width) const {
    if (place > bytes_.size() || width > bytes_.size() - place) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = is_big_endian_ ? i : width - 1 - i;
      value = value << 8 | std::to_integer<std::uint32_t>(bytes_[place + at]);
    }
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  bool is_big_endian_;
};

}  // namespace

int exif_orientation(std::span<const std::byte> tiff) {
  constexpr std::string_view kMark("Exif\0\0", 6);
  if (tiff.size() >= kMark.size() && std::memcmp(tiff.data(), kMark.data(), kMark.size()) == 0)
    tiff = tiff.subspan(kMark.size());
  constexpr std::uint32_t kMagic = 42;
  constexpr std::uint32_t kOrientationTag = 0x0112;
  constexpr std::size_t kEntryBytes = 12;
  const TiffReader reader(tiff);
  if (reader.number(2, 2) != kMagic) return kUpright;
  const auto directory = reader.number(4, 4);
  if (!directory) return kUpright;
  const std::uint32_t entries = reader.number(*directory, 2).value_or(0);
  for (std::uint32_t entry = 0; entry < entries; ++entry) {
    const std::size_t place = std::size_t{*directory} + 2 + entry * kEntryBytes;
    const auto tag = reader.number(place, 2);
    if (!tag) return kUpright;
    if (tag != kOrientationTag) continue;
    const std::uint32_t value = reader.number(place + 8, 2).value_or(kUpright);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

Picture upright(Picture picture, int orientation) {
  if (orientation == kUpright) return picture;
  // 5 to 8 exchange rows and columns; of the result, 2, 3, 6, 7 mirror columns and 3, 4, 7, 8 rows.
  const bool transposes = orientation >= 5;
  const bool mirrors_x =
      orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirrors_y =
      orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const ImageSize from = picture.size();
  const ImageSize to = transposes ? ImageSize{.height = from.width, .width = from.height} : from;
  const auto bytes = static_cast<std::size_t>(picture.pixel_bytes());
  Picture turned(to, picture.pixel_bytes());
  // Square blocks keep both the rows that are read and those that are written in the cache.
  constexpr int kBlock = 64;
  const auto copy_block = [&](int top, int left) {
    for (int y = top; y < std::min(top + kBlock, to.height); ++y) {
      const int row = mirrors_y ? to.height - 1 - y : y;
      std::uint8_t* out = turned.row(y) + static_cast<std::size_t>(left) * bytes;
      for (int x = left; x < std::min(left + kBlock, to.width); ++x, out += bytes) {
        const int column = mirrors_x ? to.width - 1 - x : x;
        const std::uint8_t* const in =
            transposes ? picture.row(column) + static_cast<std::size_t>(row) * bytes
                       : picture.row(row) + static_cast<std::size_t>(column) * bytes;
        std::memcpy(out, in, bytes);
      }
    }
  };
  for (int top = 0; top < to.height; top += kBlock) {
    for (int left = 0; left < to.width; left += kBlock) copy_block(top, left);
  }
  return turned;
}

}  // namespace quantsearch
