#pragma once

// One function per format. Each throws InvalidInput whose message is only the reason.

#include <cstddef>
#include <span>
#include <string>

#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

/// A picture as it is stored, and how it has to be turned.
struct StoredPicture {
  Picture picture;
  int orientation = 1;  // of EXIF, 1 to 8
};

/// Pixels outside of what is needed are not set.
[[nodiscard]] StoredPicture decode_jpeg(std::span<const std::byte> file,
                                        const NeededPixels& needed);
[[nodiscard]] StoredPicture decode_png(std::span<const std::byte> file);
[[nodiscard]] StoredPicture decode_webp(std::span<const std::byte> file);

/// Throws InvalidInput for a size without pixels, and for one beyond 2^28 pixels, which is rather
/// a file that was made to exhaust the memory than a photo.
void require_decodable(std::int64_t height, std::int64_t width);

}  // namespace quantsearch
