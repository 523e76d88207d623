#include <fmt/core.h>

#include <cstring>
#include <string_view>

#include "media/decoders.h"
#include "media/riff.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

bool begins_with(std::span<const std::byte> file, std::string_view mark) {
  return file.size() >= mark.size() && std::memcmp(file.data(), mark.data(), mark.size()) == 0;
}

void require_decodable(std::int64_t height, std::int64_t width) {
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 28;
  constexpr std::int64_t kLongestSide = std::int64_t{1} << 20;
  const bool fits = height > 0 && width > 0 && height <= kLongestSide && width <= kLongestSide &&
                    height * width <= kMostPixels;
  if (!fits)
    throw InvalidInput(fmt::format("it has {} x {} pixels, expected 1 to 2^28", width, height));
}

void decode_picture(std::span<const std::byte> file, RowSink& sink) {
  if (begins_with(file, "\xFF\xD8\xFF")) return decode_jpeg(file, sink);
  if (begins_with(file, kPngMark)) return decode_png(file, sink);
  if (is_riff(file, "WEBP")) return decode_webp(file, sink);
  throw InvalidInput(file.empty() ? "it is empty" : "it is no JPEG, PNG or WebP file");
}

void to_gray(std::span<const std::uint8_t> pixels, std::uint8_t* gray) {
  // 0.299, 0.587 and 0.114 in 16 bits; their sum is 2^16, so that gray stays what it is.
  constexpr std::uint32_t kRed = 19595;
  constexpr std::uint32_t kGreen = 38470;
  constexpr std::uint32_t kBlue = 7471;
  constexpr std::uint32_t kHalf = 1 << 15;
  const std::size_t count = pixels.size() / 4;
  const std::uint8_t* in = pixels.data();
  for (std::size_t x = 0; x < count; ++x, in += 4) {
    gray[x] =
        static_cast<std::uint8_t>((in[0] * kRed + in[1] * kGreen + in[2] * kBlue + kHalf) >> 16);
  }
}

}  // namespace quantsearch
