#pragma once

// The orientation of a picture in EXIF, a TIFF directory of tags (CIPA DC-008, Exif 2.32, 4.6).

#include <cstddef>
#include <span>

namespace quantsearch {

/// The orientation in a TIFF structure, which may begin with "Exif\0\0"; 1 (upright) when it names
/// none or is damaged, as viewers do.
[[nodiscard]] int exif_orientation(std::span<const std::byte> tiff);

}  // namespace quantsearch
