#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "media/decoders.h"
#include "media/exif.h"
#include "media/riff.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

namespace {

bool begins_with(std::span<const std::byte> file, std::string_view mark) {
  return file.size() >= mark.size() && std::memcmp(file.data(), mark.data(), mark.size()) == 0;
}

StoredPicture decode_stored(std::span<const std::byte> file, const NeededPixels& needed) {
  if (begins_with(file, "\xFF\xD8\xFF")) return decode_jpeg(file, needed);
  if (begins_with(file, "\x89PNG\r\n\x1A\n")) return decode_png(file);
  if (is_riff(file, "WEBP")) return decode_webp(file);
  throw InvalidInput(file.empty() ? "it is empty" : "it is no JPEG, PNG or WebP file");
}

}  // namespace

Picture::Picture(ImageSize size, int pixel_bytes) : size_(size), pixel_bytes_(pixel_bytes) {
  constexpr std::size_t kReadable = 16;  // beyond the last pixel, for vector loads
  pixels_ = std::make_unique_for_overwrite<std::uint8_t[]>(
      static_cast<std::size_t>(size.height) * row_bytes() + kReadable);
}

void require_decodable(std::int64_t height, std::int64_t width) {
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 28;
  constexpr std::int64_t kLongestSide = std::int64_t{1} << 20;
  const bool fits = height > 0 && width > 0 && height <= kLongestSide && width <= kLongestSide &&
                    height * width <= kMostPixels;
  if (!fits)
    throw InvalidInput(fmt::format("it has {} x {} pixels, expected 1 to 2^28", width, height));
}

Picture decode_picture(std::span<const std::byte> file, const NeededPixels& needed) {
  StoredPicture stored = decode_stored(file, needed);
  return upright(std::move(stored.picture), stored.orientation);
}

Picture to_gray(const Picture& picture) {
  if (picture.pixel_bytes() == 1) throw InternalError("media: a gray picture was made gray again");
  // 0.299, 0.587 and 0.114 in 16 bits; their sum is 2^16, so that gray stays what it is.
  constexpr std::uint32_t kRed = 19595;
  constexpr std::uint32_t kGreen = 38470;
  constexpr std::uint32_t kBlue = 7471;
  constexpr std::uint32_t kHalf = 1 << 15;
  const ImageSize size = picture.size();
  Picture gray(size, 1);
  for (int y = 0; y < size.height; ++y) {
    const std::uint8_t* in = picture.row(y);
    std::uint8_t* const out = gray.row(y);
    for (int x = 0; x < size.width; ++x, in += 4) {
      out[x] =
          static_cast<std::uint8_t>((in[0] * kRed + in[1] * kGreen + in[2] * kBlue + kHalf) >> 16);
    }
  }
  return gray;
}

}  // namespace quantsearch
