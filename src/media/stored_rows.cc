#include "media/stored_rows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace quantsearch {

namespace {

constexpr int kUpright = 1;

Picture upright(Picture picture, int orientation) {
  if (orientation == kUpright) return picture;
  // 5 to 8 exchange rows and columns; of the result, 2, 3, 6, 7 mirror columns and 3, 4, 7, 8 rows.
  const bool transposes = orientation >= 5;
  const bool mirrors_x =
      orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirrors_y =
      orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  constexpr std::size_t kBytes = 4;
  const ImageSize from = picture.size();
  const ImageSize to = transposes ? ImageSize{.height = from.width, .width = from.height} : from;
  Picture turned(to);
  // Square blocks keep both the rows that are read and those that are written in the cache.
  constexpr int kBlock = 64;
  const auto copy_block = [&](int top, int left) {
    for (int y = top; y < std::min(top + kBlock, to.height); ++y) {
      const int row = mirrors_y ? to.height - 1 - y : y;
      std::uint8_t* out = turned.row(y) + static_cast<std::size_t>(left) * kBytes;
      for (int x = left; x < std::min(left + kBlock, to.width); ++x, out += kBytes) {
        const int column = mirrors_x ? to.width - 1 - x : x;
        const std::uint8_t* const in =
            transposes ? picture.row(column) + static_cast<std::size_t>(row) * kBytes
                       : picture.row(row) + static_cast<std::size_t>(column) * kBytes;
        std::memcpy(out, in, kBytes);
      }
    }
  };
  for (int top = 0; top < to.height; top += kBlock) {
    for (int left = 0; left < to.width; left += kBlock) copy_block(top, left);
  }
  return turned;
}

}  // namespace

Picture::Picture(ImageSize size)
    : size_(size),
      pixels_(std::make_unique_for_overwrite<std::uint8_t[]>(
          static_cast<std::size_t>(size.height) * row_bytes() + kReadable)) {}

RowBuffer::RowBuffer(int width)
    : stride_((static_cast<std::size_t>(width) * 4 + kReadable + kVector - 1) / kVector * kVector),
      bytes_(kBeside + stride_ * kRowsTogether) {}

void hand_on(Picture picture, int orientation, RowSink& sink) {
  const Picture turned = upright(std::move(picture), orientation);
  const PictureRegion region = sink.begin(turned.size());
  constexpr int kTogether = kRowsTogether;
  std::array<const std::uint8_t*, kRowsTogether> rows = {};
  for (int y = region.top; y < region.bottom; y += kTogether) {
    const int count = std::min(kTogether, region.bottom - y);
    for (int i = 0; i < count; ++i) rows[static_cast<std::size_t>(i)] = turned.row(y + i);
    sink.take(y, PictureRows(rows).first(static_cast<std::size_t>(count)));
  }
}

PictureRegion StoredRows::begin(ImageSize size, int orientation) {
  if (orientation == kUpright) return sink_.begin(size);
  orientation_ = orientation;
  unturned_.emplace(size);
  return {.bottom = size.height, .right = size.width};
}

void StoredRows::take(int first, PictureRows rows) {
  if (!unturned_) {
    sink_.take(first, rows);
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::memcpy(unturned_->row(first + static_cast<int>(i)), rows[i], unturned_->row_bytes());
}

void StoredRows::finish() {
  if (unturned_) hand_on(*std::move(unturned_), orientation_, sink_);
}

}  // namespace quantsearch
