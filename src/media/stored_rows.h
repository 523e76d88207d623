#pragma once

// Between the decoders, which give a picture as it is stored, and what takes it upright.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

/// A picture of four bytes a pixel in memory.
class Picture {
 public:
  /// The pixels are not initialized.
  explicit Picture(ImageSize size);
  [[nodiscard]] ImageSize size() const noexcept { return size_; }
  [[nodiscard]] std::size_t row_bytes() const noexcept {
    return static_cast<std::size_t>(size_.width) * 4;
  }
  [[nodiscard]] std::uint8_t* row(int y) noexcept {
    return pixels_.get() + static_cast<std::size_t>(y) * row_bytes();
  }
  [[nodiscard]] const std::uint8_t* row(int y) const noexcept {
    return pixels_.get() + static_cast<std::size_t>(y) * row_bytes();
  }

 private:
  ImageSize size_;
  std::unique_ptr<std::uint8_t[]> pixels_;
};

/// Room for rows that a decoder gives together. No row begins where an aligned vector does: there
/// libjpeg-turbo writes past the caches, and the rows would be read from memory again.
class RowBuffer {
 public:
  explicit RowBuffer(int width);
  [[nodiscard]] std::uint8_t* row(std::size_t index) noexcept {
    return bytes_.data() + kBeside + index * stride_;
  }

 private:
  static constexpr std::size_t kVector = 16;
  static constexpr std::size_t kBeside = kVector / 2;

  std::size_t stride_;
  std::vector<std::uint8_t> bytes_;
};

/// Hands a whole picture to the sink, turned and mirrored as the orientation of EXIF (1 to 8) asks.
void hand_on(Picture picture, int orientation, RowSink& sink);

/// Hands rows to the sink as they come when the picture is stored upright, and otherwise when it is
/// complete.
class StoredRows {
 public:
  explicit StoredRows(RowSink& sink) : sink_(sink) {}
  /// Comes first, and returns which pixels of the stored picture are needed.
  [[nodiscard]] PictureRegion begin(ImageSize size, int orientation);
  void take(int first, PictureRows rows);
  /// Comes after the last row.
  void finish();

 private:
  RowSink& sink_;
  int orientation_ = 1;
  std::optional<Picture> unturned_ = std::nullopt;
};

}  // namespace quantsearch
