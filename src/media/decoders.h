#pragma once

// One function per format. Each throws InvalidInput whose message is only the reason.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

void decode_jpeg(std::span<const std::byte> file, RowSink& sink);
void decode_png(std::span<const std::byte> file, RowSink& sink);
void decode_webp(std::span<const std::byte> file, RowSink& sink);

inline constexpr std::string_view kPngMark = "\x89PNG\r\n\x1A\n";
[[nodiscard]] bool begins_with(std::span<const std::byte> file, std::string_view mark);

/// Throws InvalidInput for a size without pixels, and for one beyond 2^28 pixels, which is rather
/// a file that was made to exhaust the memory than a photo.
void require_decodable(std::int64_t height, std::int64_t width);

}  // namespace quantsearch
