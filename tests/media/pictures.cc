#include "media/pictures.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <vector>

namespace quantsearch::testing {

namespace {

constexpr std::uint8_t kMeaningless = 0xA5;

ImageSize size_of(const Tensor& picture) {
  return {.height = static_cast<int>(picture.shape()[0]),
          .width = static_cast<int>(picture.shape()[1])};
}

bool is_gray(const Tensor& picture) { return picture.shape().size() == 2; }

class Collector final : public RowSink {
 public:
  explicit Collector(const NeededPixels& needed) : needed_(needed) {}
  [[nodiscard]] PictureRegion begin(ImageSize size) override {
    picture = Tensor(DataType::uint8, {size.height, size.width, 3});
    std::ranges::fill(picture.mutable_values<std::uint8_t>(), std::uint8_t{0});
    return needed_ ? needed_(size) : PictureRegion{.bottom = size.height, .right = size.width};
  }
  void take(int first, PictureRows rows) override {
    const auto width = static_cast<std::size_t>(picture.shape()[1]);
    std::uint8_t* out =
        picture.mutable_values<std::uint8_t>().data() + static_cast<std::size_t>(first) * width * 3;
    for (const std::uint8_t* const row : rows) {
      for (std::size_t x = 0; x < width; ++x, out += 3) std::copy_n(row + x * 4, 3, out);
    }
  }

  Tensor picture;

 private:
  NeededPixels needed_;
};

/// A row with four bytes for a pixel of colours, and kReadable bytes beyond.
std::vector<std::uint8_t> source_row(const Tensor& picture, int y) {
  const auto width = static_cast<std::size_t>(picture.shape()[1]);
  const std::size_t channels = is_gray(picture) ? 1 : 3;
  const std::uint8_t* in =
      picture.values<std::uint8_t>().data() + static_cast<std::size_t>(y) * width * channels;
  if (channels == 1) {
    std::vector<std::uint8_t> row(in, in + width);
    row.resize(width + kReadable, kMeaningless);
    return row;
  }
  std::vector<std::uint8_t> row(width * 4 + kReadable, kMeaningless);
  for (std::size_t x = 0; x < width; ++x, in += 3) std::copy_n(in, 3, &row[4 * x]);
  return row;
}

}  // namespace

Tensor decoded(const std::string& file_content, const NeededPixels& needed) {
  Collector collector(needed);
  decode_picture(std::as_bytes(std::span(file_content)), collector);
  return collector.picture;
}

Tensor scaled(const Tensor& picture, const Scaling& scaling, const std::vector<int>& together) {
  const ImageSize size = size_of(picture);
  Scaling of_picture = scaling;
  if (is_gray(picture)) of_picture.colors = ColorOrder::gray;
  Shape shape = {scaling.part.size.height, scaling.part.size.width};
  if (!is_gray(picture)) shape.push_back(3);
  Tensor result(DataType::uint8, shape);
  const auto scaler = row_scaler(size, of_picture, result.mutable_values<std::uint8_t>().data());
  std::size_t call = 0;
  for (int y = 0; y < size.height; ++call) {
    std::vector<std::vector<std::uint8_t>> rows;
    std::vector<const std::uint8_t*> pointers;
    const int end = std::min(size.height, y + together[call % together.size()]);
    for (int row = y; row < end; ++row) rows.push_back(source_row(picture, row));
    for (const auto& row : rows) pointers.push_back(row.data());
    scaler->take(y, pointers);
    y = end;
  }
  return result;
}

Tensor gray_of(const Tensor& picture) {
  const ImageSize size = size_of(picture);
  Tensor gray(DataType::uint8, {size.height, size.width});
  for (int y = 0; y < size.height; ++y) {
    const std::vector<std::uint8_t> row = source_row(picture, y);
    to_gray(std::span(row).first(static_cast<std::size_t>(size.width) * 4),
            gray.mutable_values<std::uint8_t>().data() +
                static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width));
  }
  return gray;
}

}  // namespace quantsearch::testing
