#pragma once

// The steps from an image file to pixels of the wanted size. Rows go from step to step while they
// are decoded, so that no step keeps a whole picture in memory unless it has to be turned.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "quantsearch/media.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

/// The pixels [top, bottom) x [left, right) of a picture.
struct PictureRegion {
  int top = 0;
  int left = 0;
  int bottom = 0;
  int right = 0;
};

/// Rows one below the other, 1 to kRowsTogether of them. A pixel is four bytes: red, green, blue
/// and one that means nothing; or one byte of gray. kReadable bytes beyond the last pixel of a row
/// can be read, because vectors are loaded whole.
using PictureRows = std::span<const std::uint8_t* const>;
inline constexpr std::size_t kRowsTogether = 4;
inline constexpr std::size_t kReadable = 16;

/// Takes the rows of an upright picture from top to bottom.
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// Comes first, and returns which pixels will be read. All others may have any value, and rows
  /// without one that is read may be left out.
  [[nodiscard]] virtual PictureRegion begin(ImageSize size) = 0;
  /// The rows from row `first` on, valid during the call.
  virtual void take(int first, PictureRows rows) = 0;
};

/// Decodes a JPEG, PNG or WebP file, which its first bytes tell apart, to 8-bit colours without
/// transparency (four bytes a pixel), turned upright by its EXIF orientation. Throws InvalidInput
/// whose message is only the reason: the file is none of these, truncated, damaged, animated or too
/// large. The sink may have taken rows by then.
void decode_picture(std::span<const std::byte> file, RowSink& sink);

/// The pixels of a PNG file that holds classes, as they are stored: [height, width] of uint8 or, at
/// 16 bits, uint16. Throws InvalidInput whose message is only the reason: the file is no PNG, is
/// damaged or holds colours that are no palette.
[[nodiscard]] Tensor decode_classes(std::span<const std::byte> file);

/// Makes pixels of four bytes gray by the weights of ITU-R 601, as in Pillow.
void to_gray(std::span<const std::uint8_t> pixels, std::uint8_t* gray);

/// The pixels [top, top + size.height) x [left, left + size.width) of a scaled picture.
struct ScaledPart {
  ImageSize scaled;
  int top = 0;
  int left = 0;
  ImageSize size;
};
/// The pixels of a picture of this size that are read for the part, or some more.
[[nodiscard]] PictureRegion pixels_for(const ScaledPart& part, ImageSize picture);

struct Scaling {
  ScaledPart part;
  Interpolation interpolation = Interpolation::bilinear;
  bool antialias = true;
  ColorOrder colors = ColorOrder::rgb;  // of the result; gray: of rows of one byte a pixel
};

/// Scales a picture to `part.scaled`, of which only the part is computed.
class RowScaler {
 public:
  virtual ~RowScaler() = default;
  /// Rows from top to bottom. Those that no pixel of the part needs may be left out.
  virtual void take(int first, PictureRows rows) = 0;
};
/// Writes the part to `result` [height, width, channels]. It is complete after the last row that
/// it needs.
[[nodiscard]] std::unique_ptr<RowScaler> row_scaler(ImageSize picture, const Scaling& scaling,
                                                    std::uint8_t* result);

}  // namespace quantsearch
