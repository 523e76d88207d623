// Scaling of pictures. With antialiasing values are those of Pillow: rows first, rounded to 8 bits,
// then columns. Without, those of OpenCV's INTER_LINEAR and INTER_NEAREST on 8-bit pictures.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "media/resize_kernels.h"
#include "media/resize_taps.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

namespace {

AxisPart rows_of(const Picture& picture, const ScaledPart& part) {
  return {.source = picture.size().height,
          .scaled = part.scaled.height,
          .first = part.top,
          .count = part.size.height,
          .other_is_enlarged = part.scaled.width > picture.size().width};
}

AxisPart columns_of(const Picture& picture, const ScaledPart& part) {
  return {.source = picture.size().width,
          .scaled = part.scaled.width,
          .first = part.left,
          .count = part.size.width,
          .other_is_enlarged = part.scaled.height > picture.size().height};
}

Picture filtered_picture(const Picture& picture, const ScaledPart& part,
                         Interpolation interpolation) {
  const Taps rows = antialiased_taps(rows_of(picture, part), interpolation);
  const Taps columns = antialiased_taps(columns_of(picture, part), interpolation);
  const int pixel_bytes = picture.pixel_bytes();
  const int first = rows.windows.front().first;
  const int end = rows.windows.back().first + rows.windows.back().count;
  Picture narrow({.height = end - first, .width = part.size.width}, pixel_bytes);
  const PixelTaps pixel_columns(columns);
  for (int y = first; y < end; ++y) {
    if (pixel_bytes == 1) {
      scale_gray_row(picture.row(y), columns, narrow.row(y - first));
    } else {
      scale_row(picture.row(y), pixel_columns, narrow.row(y - first));
    }
  }
  Picture result(part.size, pixel_bytes);
  std::vector<const std::uint8_t*> window;
  for (int y = 0; y < part.size.height; ++y) {
    const auto output = static_cast<std::size_t>(y);
    window.clear();
    for (int tap = 0; tap < rows.windows[output].count; ++tap)
      window.push_back(narrow.row(rows.windows[output].first - first + tap));
    scale_column(window, rows.of(output), result.row(y), result.row_bytes());
  }
  return result;
}

/// The two source pixels of an output pixel; their weights sum to 2^11.
struct Pair {
  int first = 0;
  int second = 0;
  std::int32_t weights[2] = {};
};

std::vector<Pair> pairs_of(const AxisPart& part) {
  constexpr float kOne = 1 << 11;
  const double scale = static_cast<double>(part.source) / part.scaled;
  std::vector<Pair> pairs;
  for (int output = part.first; output < part.first + part.count; ++output) {
    auto place = static_cast<float>((output + 0.5) * scale - 0.5);
    int first = static_cast<int>(std::floor(place));
    place -= static_cast<float>(first);
    if (first < 0) first = 0, place = 0;
    if (first >= part.source - 1) first = part.source - 1, place = 0;
    pairs.push_back({.first = first,
                     .second = std::min(first + 1, part.source - 1),
                     .weights = {static_cast<std::int32_t>(std::lrint((1 - place) * kOne)),
                                 static_cast<std::int32_t>(std::lrint(place * kOne))}});
  }
  return pairs;
}

std::vector<std::int32_t> between_columns(const Picture& picture, int y,
                                          const std::vector<Pair>& columns) {
  const auto bytes = static_cast<std::size_t>(picture.pixel_bytes());
  const std::uint8_t* const row = picture.row(y);
  std::vector<std::int32_t> sums(columns.size() * bytes);
  for (std::size_t x = 0; x < columns.size(); ++x) {
    const Pair& pair = columns[x];
    for (std::size_t channel = 0; channel < bytes; ++channel) {
      sums[x * bytes + channel] =
          row[static_cast<std::size_t>(pair.first) * bytes + channel] * pair.weights[0] +
          row[static_cast<std::size_t>(pair.second) * bytes + channel] * pair.weights[1];
    }
  }
  return sums;
}

/// The sums of a row have 11 more bits than pixels. Of them and of the products with the weights
/// as many bits are dropped as make 16-bit multiplications enough, as OpenCV does it.
Picture between_pixels(const Picture& picture, const ScaledPart& part) {
  const std::vector<Pair> rows = pairs_of(rows_of(picture, part));
  const std::vector<Pair> columns = pairs_of(columns_of(picture, part));
  Picture result(part.size, picture.pixel_bytes());
  struct Row {
    int y = -1;
    std::vector<std::int32_t> sums;
  };
  Row upper;
  Row lower;
  const auto fill = [&](Row& row, int y) {
    if (row.y != y) row = {.y = y, .sums = between_columns(picture, y, columns)};
  };
  for (int y = 0; y < part.size.height; ++y) {
    const Pair& pair = rows[static_cast<std::size_t>(y)];
    if (lower.y == pair.first) std::swap(upper, lower);
    fill(upper, pair.first);
    fill(lower, pair.second);
    std::uint8_t* const out = result.row(y);
    for (std::size_t i = 0; i < result.row_bytes(); ++i) {
      const std::int32_t sum = ((pair.weights[0] * (upper.sums[i] >> 4)) >> 16) +
                               ((pair.weights[1] * (lower.sums[i] >> 4)) >> 16);
      out[i] = static_cast<std::uint8_t>((sum + 2) >> 2);
    }
  }
  return result;
}

/// Pillow takes the pixel at the centre of the output pixel, adding up steps, whose rounding
/// decides where the centre is on a border; OpenCV the pixel at its upper left corner.
std::vector<int> nearest_of(const AxisPart& part, bool by_center) {
  const double scale = static_cast<double>(part.source) / part.scaled;
  std::vector<int> sources;
  double center = scale / 2;
  for (int output = 0; output < part.first + part.count; ++output, center += scale) {
    const int source = static_cast<int>(by_center ? center : output * scale);
    if (output >= part.first) sources.push_back(std::min(source, part.source - 1));
  }
  return sources;
}

Picture nearest_pixels(const Picture& picture, const ScaledPart& part, bool by_center) {
  const auto bytes = static_cast<std::size_t>(picture.pixel_bytes());
  const std::vector<int> rows = nearest_of(rows_of(picture, part), by_center);
  const std::vector<int> columns = nearest_of(columns_of(picture, part), by_center);
  Picture result(part.size, picture.pixel_bytes());
  for (int y = 0; y < part.size.height; ++y) {
    const std::uint8_t* const row = picture.row(rows[static_cast<std::size_t>(y)]);
    std::uint8_t* out = result.row(y);
    for (const int column : columns) {
      std::memcpy(out, row + static_cast<std::size_t>(column) * bytes, bytes);
      out += bytes;
    }
  }
  return result;
}

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

Picture scaled(const Picture& picture, const ScaledPart& part, Interpolation interpolation,
               bool antialias) {
  if (interpolation == Interpolation::nearest) return nearest_pixels(picture, part, antialias);
  if (antialias || interpolation == Interpolation::area)
    return filtered_picture(picture, part, interpolation);
  switch (interpolation) {
    case Interpolation::bilinear: {
      // Halved in both directions, OpenCV averages four pixels.
      const bool is_halved = picture.size().height == 2 * part.scaled.height &&
                             picture.size().width == 2 * part.scaled.width;
      return is_halved ? filtered_picture(picture, part, Interpolation::area)
                       : between_pixels(picture, part);
    }
    case Interpolation::nearest:
    case Interpolation::bicubic:
    case Interpolation::lanczos:
    case Interpolation::area:
      break;
  }
  throw InternalError("media: this interpolation is only made with antialiasing");
}

}  // namespace quantsearch
