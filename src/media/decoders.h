#pragma once

// One function per format. Each throws InvalidInput whose message is only the reason.

#include <cstddef>
#include <cstdint>
#include <span>

#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

void decode_jpeg(std::span<const std::byte> file, RowSink& sink);
void decode_png(std::span<const std::byte> file, RowSink& sink);
void decode_webp(std::span<const std::byte> file, RowSink& sink);

/// Throws InvalidInput for a size without pixels, and for one beyond 2^28 pixels, which is rather
/// a file that was made to exhaust the memory than a photo.
void require_decodable(std::int64_t height, std::int64_t width);

}  // namespace quantsearch
