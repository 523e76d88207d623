// WebP by libwebp. The library leaves the container to its user, who has to look for EXIF.

#include <webp/decode.h>

#include <utility>

#include "media/decoders.h"
#include "media/exif.h"
#include "media/riff.h"
#include "media/stored_rows.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

int webp_orientation(std::span<const std::byte> file) {
  for (const RiffChunk& chunk : riff_chunks(file)) {
    if (chunk.name == "EXIF") return exif_orientation(chunk.bytes);
  }
  return 1;
}

}  // namespace

void decode_webp(std::span<const std::byte> file, RowSink& sink) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(file.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(bytes, file.size(), &features) != VP8_STATUS_OK)
    throw InvalidInput("its WebP header is damaged");
  if (features.has_animation != 0) throw InvalidInput("it is an animation, expected one picture");
  require_decodable(features.height, features.width);
  Picture picture({.height = features.height, .width = features.width});
  const std::size_t row_bytes = picture.row_bytes();
  const auto* const decoded = WebPDecodeRGBAInto(
      bytes, file.size(), picture.row(0), row_bytes * static_cast<std::size_t>(features.height),
      static_cast<int>(row_bytes));
  if (decoded == nullptr) throw InvalidInput("its WebP data are truncated or damaged");
  hand_on(std::move(picture), webp_orientation(file), sink);
}

}  // namespace quantsearch
