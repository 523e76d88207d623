#pragma once

// Decoded images, and the steps from a file to pixels of the wanted size.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "quantsearch/media.h"

namespace quantsearch {

/// Rows from the top, pixels from the left. A pixel is one byte of gray, or four bytes: red, green,
/// blue and one that means nothing.
class Picture {
 public:
  /// The pixels are not initialized.
  Picture(ImageSize size, int pixel_bytes);
  [[nodiscard]] ImageSize size() const noexcept { return size_; }
  [[nodiscard]] int pixel_bytes() const noexcept { return pixel_bytes_; }
  [[nodiscard]] std::size_t row_bytes() const noexcept {
    return static_cast<std::size_t>(size_.width) * static_cast<std::size_t>(pixel_bytes_);
  }
  [[nodiscard]] std::uint8_t* row(int y) noexcept {
    return pixels_.get() + static_cast<std::size_t>(y) * row_bytes();
  }
  [[nodiscard]] const std::uint8_t* row(int y) const noexcept {
    return pixels_.get() + static_cast<std::size_t>(y) * row_bytes();
  }

 private:
  ImageSize size_;
  int pixel_bytes_;
  std::unique_ptr<std::uint8_t[]> pixels_;
};

/// The pixels [top, bottom) x [left, right) of a picture.
struct PictureRegion {
  int top = 0;
  int left = 0;
  int bottom = 0;
  int right = 0;
};
/// Which pixels of an upright picture of this size will be read.
using NeededPixels = std::function<PictureRegion(ImageSize)>;

/// Decodes a JPEG, PNG or WebP file, which its first bytes tell apart, to 8-bit colours without
/// transparency, turned upright by its EXIF orientation. Pixels that are not needed may have any
/// value; absent: all are needed. Throws InvalidInput whose message is only the reason: the file is
/// none of these, truncated, damaged, animated or too large.
[[nodiscard]] Picture decode_picture(std::span<const std::byte> file,
                                     const NeededPixels& needed = {});

/// The picture in gray by the weights of ITU-R 601, as in Pillow.
[[nodiscard]] Picture to_gray(const Picture& picture);

/// The pixels [top, top + size.height) x [left, left + size.width) of a scaled picture.
struct ScaledPart {
  ImageSize scaled;
  int top = 0;
  int left = 0;
  ImageSize size;
};
/// Scales `picture` to `part.scaled` and returns only the part, which alone is computed.
[[nodiscard]] Picture scaled(const Picture& picture, const ScaledPart& part,
                             Interpolation interpolation, bool antialias);
/// The pixels of a picture of this size that scaled() reads, or some more.
[[nodiscard]] PictureRegion pixels_for(const ScaledPart& part, ImageSize picture);

}  // namespace quantsearch
