#include "media/exif.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

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

}  // namespace quantsearch
