// Scaling of rows as they come. With antialiasing values are those of Pillow: rows first, rounded
// to 8 bits, then columns. Without, those of OpenCV's INTER_LINEAR and INTER_NEAREST on 8-bit
// pictures.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "media/resize_kernels.h"
#include "media/resize_taps.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

namespace {

AxisPart rows_of(ImageSize picture, const ScaledPart& part) {
  return {.source = picture.height,
          .scaled = part.scaled.height,
          .first = part.top,
          .count = part.size.height,
          .other_is_enlarged = part.scaled.width > picture.width};
}

AxisPart columns_of(ImageSize picture, const ScaledPart& part) {
  return {.source = picture.width,
          .scaled = part.scaled.width,
          .first = part.left,
          .count = part.size.width,
          .other_is_enlarged = part.scaled.height > picture.height};
}

std::size_t channels_of(ColorOrder colors) { return colors == ColorOrder::gray ? 1 : 3; }

/// The rows of the result, of which the next is written when the rows that it needs have come.
class ResultRows {
 public:
  ResultRows(const Scaling& scaling, std::uint8_t* result)
      : count_(static_cast<std::size_t>(scaling.part.size.height)),
        bytes_(static_cast<std::size_t>(scaling.part.size.width) * channels_of(scaling.colors)),
        result_(result) {}
  [[nodiscard]] bool are_complete() const { return next_ == count_; }
  [[nodiscard]] std::size_t next() const { return next_; }
  /// The next row, which counts as written.
  [[nodiscard]] std::span<std::uint8_t> take() { return {result_ + next_++ * bytes_, bytes_}; }

 private:
  std::size_t count_;
  std::size_t bytes_;  // of a row
  std::uint8_t* result_;
  std::size_t next_ = 0;
};

/// Room for the last rows that came, narrowed to the width of the result and one value more.
template <typename Value>
class RecentRows {
 public:
  RecentRows(std::size_t rows, std::size_t values)
      : rows_(rows), stride_(values + 1), values_(rows * stride_) {}
  [[nodiscard]] Value* row(int y) {
    return values_.data() + static_cast<std::size_t>(y) % rows_ * stride_;
  }
  /// Rows that come, and where they go.
  [[nodiscard]] RowGroup<Value> group(int first, PictureRows rows) {
    RowGroup<Value> group;
    for (std::size_t i = 0; i < kRowsTogether; ++i) {
      const std::size_t row = std::min(i, rows.size() - 1);
      group.from[i] = rows[row];
      group.to[i] = this->row(first + static_cast<int>(row));
    }
    return group;
  }

 private:
  std::size_t rows_;
  std::size_t stride_;
  std::vector<Value> values_;
};

/// Rows are narrowed when they come; a row of the result is the weighted sum of some of the last.
class FilteredRows final : public RowScaler {
 public:
  FilteredRows(ImageSize picture, const Scaling& scaling, Interpolation filter,
               std::uint8_t* result)
      : colors_(scaling.colors),
        rows_(antialiased_taps(rows_of(picture, scaling.part), filter)),
        columns_(antialiased_taps(columns_of(picture, scaling.part), filter)),
        paired_rows_(rows_, picture.height + rows_.longest),
        paired_columns_(columns_, picture.width),
        narrow_(static_cast<std::size_t>(rows_.longest) + kRowsTogether,
                columns_.windows.size() * channels_of(colors_)),
        result_(scaling, result),
        window_(2 * paired_rows_.pairs) {}

  void take(int first, PictureRows rows) override {
    if (result_.are_complete()) return;
    const int end = first + static_cast<int>(rows.size());
    if (end <= rows_.windows.front().first) return;
    narrow(first, rows);
    while (!result_.are_complete()) {
      const Taps::Window& window = rows_.windows[result_.next()];
      if (window.first + window.count > end) break;
      for (std::size_t tap = 0; tap < window_.size(); ++tap) {
        const int beside = std::min(static_cast<int>(tap), window.count - 1);
        window_[tap] = narrow_.row(window.first + beside);
      }
      const std::int32_t* const weights = paired_rows_.of(result_.next());
      const std::span<std::uint8_t> out = result_.take();
      scale_columns(window_, weights, out.data(), out.size());
    }
  }

 private:
  void narrow(int first, PictureRows rows) {
    if (colors_ == ColorOrder::gray) {
      for (std::size_t i = 0; i < rows.size(); ++i)
        scale_gray_row(rows[i], columns_, narrow_.row(first + static_cast<int>(i)));
      return;
    }
    scale_rows(narrow_.group(first, rows), paired_columns_, colors_ == ColorOrder::bgr);
  }

  ColorOrder colors_;
  Taps rows_;
  Taps columns_;
  PairedTaps paired_rows_;
  PairedTaps paired_columns_;
  RecentRows<std::uint8_t> narrow_;
  ResultRows result_;
  std::vector<const std::uint8_t*> window_;
};

/// Sums of a row have 11 more bits than pixels. Of them and of the products with the weights as
/// many bits are dropped as make 16-bit multiplications enough, as OpenCV does it.
class InterpolatedRows final : public RowScaler {
 public:
  InterpolatedRows(ImageSize picture, const Scaling& scaling, std::uint8_t* result)
      : colors_(scaling.colors),
        rows_(between_pixels(rows_of(picture, scaling.part))),
        columns_(between_pixels(columns_of(picture, scaling.part))),
        last_row_(picture.height - 1),
        sums_(kRowsTogether + 1, columns_.size() * channels_of(colors_)),
        result_(scaling, result) {}

  void take(int first, PictureRows rows) override {
    if (result_.are_complete()) return;
    const int end = first + static_cast<int>(rows.size());
    if (end <= rows_[result_.next()].first) return;
    narrow(first, rows);
    while (!result_.are_complete()) {
      const Between& between = rows_[result_.next()];
      const int next = std::min(between.first + 1, last_row_);
      if (next >= end) break;
      interpolate_columns(sums_.row(between.first), sums_.row(next), between, result_.take());
    }
  }

 private:
  void narrow(int first, PictureRows rows) {
    if (colors_ != ColorOrder::gray) {
      interpolate_rows(sums_.group(first, rows), columns_, colors_ == ColorOrder::bgr);
      return;
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
      interpolate_gray_row(rows[i], columns_, sums_.row(first + static_cast<int>(i)));
  }

  ColorOrder colors_;
  std::vector<Between> rows_;
  std::vector<Between> columns_;
  int last_row_;
  RecentRows<std::int16_t> sums_;
  ResultRows result_;
};

/// Takes some pixels as they are.
class CopiedPixels final : public RowScaler {
 public:
  CopiedPixels(std::vector<int> rows, std::vector<int> columns, const Scaling& scaling,
               std::uint8_t* result)
      : colors_(scaling.colors),
        rows_(std::move(rows)),
        columns_(std::move(columns)),
        chosen_(columns_.size() * 4),
        result_(scaling, result) {
    const auto has_gap = [](int column, int next) { return next != column + 1; };
    are_neighbours_ = std::ranges::adjacent_find(columns_, has_gap) == columns_.end();
  }

  void take(int first, PictureRows rows) override {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      while (!result_.are_complete() && rows_[result_.next()] == first + static_cast<int>(i))
        copy(rows[i], result_.take().data());
    }
  }

 private:
  void copy(const std::uint8_t* row, std::uint8_t* out) {
    if (colors_ == ColorOrder::gray) {
      for (const int column : columns_) *out++ = row[column];
      return;
    }
    const auto pixel = [&](int column) { return row + static_cast<std::size_t>(column) * 4; };
    const std::uint8_t* pixels = pixel(columns_.front());
    if (!are_neighbours_) {
      for (std::size_t x = 0; x < columns_.size(); ++x)
        std::memcpy(&chosen_[x * 4], pixel(columns_[x]), 4);
      pixels = chosen_.data();
    }
    pack_row({pixels, chosen_.size()}, colors_ == ColorOrder::bgr, out);
  }

  ColorOrder colors_;
  std::vector<int> rows_;
  std::vector<int> columns_;
  bool are_neighbours_ = false;
  std::vector<std::uint8_t> chosen_;  // pixels of a row
  ResultRows result_;
};

}  // namespace

PictureRegion pixels_for(const ScaledPart& part, ImageSize picture) {
  struct Range {
    int first;
    int end;
  };
  const auto range = [](int source, int scaled, int first, int count) -> Range {
    constexpr double kWidestFilter = 3;
    const double scale = static_cast<double>(source) / scaled;
    const double reach = kWidestFilter * std::max(scale, 1.0) + 1;
    return {.first = std::max(0, static_cast<int>(std::floor(first * scale - reach))),
            .end = std::min(source, static_cast<int>(std::ceil((first + count) * scale + reach)))};
  };
  const Range rows = range(picture.height, part.scaled.height, part.top, part.size.height);
  const Range columns = range(picture.width, part.scaled.width, part.left, part.size.width);
  return {.top = rows.first, .left = columns.first, .bottom = rows.end, .right = columns.end};
}

std::unique_ptr<RowScaler> row_scaler(ImageSize picture, const Scaling& scaling,
                                      std::uint8_t* result) {
  const auto& [part, interpolation, antialias, colors] = scaling;
  if (interpolation == Interpolation::nearest || part.scaled == picture) {
    return std::make_unique<CopiedPixels>(nearest_pixels(rows_of(picture, part), antialias),
                                          nearest_pixels(columns_of(picture, part), antialias),
                                          scaling, result);
  }
  if (antialias || interpolation == Interpolation::area)
    return std::make_unique<FilteredRows>(picture, scaling, interpolation, result);
  if (interpolation != Interpolation::bilinear)
    throw InternalError("media: this interpolation is only made with antialiasing");
  // Halved in both directions, OpenCV averages four pixels.
  const bool is_halved =
      picture.height == 2 * part.scaled.height && picture.width == 2 * part.scaled.width;
  if (is_halved)
    return std::make_unique<FilteredRows>(picture, scaling, Interpolation::area, result);
  return std::make_unique<InterpolatedRows>(picture, scaling, result);
}

}  // namespace quantsearch
