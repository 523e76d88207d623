#include "evaluate/tasks/resizing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace quantsearch {

namespace {

const std::vector<std::string> kResizes = {"none", "stretch", "letterbox", "letterbox_corner"};

PixelSize pixel_size(ImageSize size) {
  return {.height = static_cast<double>(size.height), .width = static_cast<double>(size.width)};
}

BoxPlacing placing_by(const std::string& resize, PixelSize image, PixelSize input) {
  if (resize == "none") return {.image = image};
  if (resize == "stretch") {
    return {.image = image,
            .scale_x = input.width / image.width,
            .scale_y = input.height / image.height};
  }
  const double scale = std::min(input.width / image.width, input.height / image.height);
  BoxPlacing placing{.image = image, .scale_x = scale, .scale_y = scale};
  if (resize == "letterbox_corner") return placing;
  // Half of the border, in whole pixels; an odd pixel goes to the right and the bottom. Halves are
  // rounded to the even number, as Python does.
  const auto border = [&](double whole, double part) {
    constexpr double kHalfDown = 0.1;
    return std::nearbyint((whole - std::nearbyint(part * scale)) / 2 - kHalfDown);
  };
  placing.left = border(input.width, image.width);
  placing.top = border(input.height, image.height);
  return placing;
}

/// The largest distance in the sample between where both put a corner of the image.
double distance(const BoxPlacing& placing, const ImagePlacing& known) {
  const auto along = [](double length, double scale, double start, double other_scale,
                        double other_start) {
    return std::max(std::abs(start - other_start),
                    std::abs(length * (scale - other_scale) + start - other_start));
  };
  return std::max(
      along(known.image.width, placing.scale_x, placing.left, known.scale_x, known.left),
      along(known.image.height, placing.scale_y, placing.top, known.scale_y, known.top));
}

}  // namespace

Box BoxPlacing::in_image(const Box& box) const {
  const auto x = [&](double value) {
    return std::clamp((value - left) / scale_x, 0.0, image.width);
  };
  const auto y = [&](double value) {
    return std::clamp((value - top) / scale_y, 0.0, image.height);
  };
  return from_corners(x(box.x), y(box.y), x(box.x + box.width), y(box.y + box.height));
}

Resizing::Resizing(const TaskOptions& options, std::shared_ptr<const DataSource> samples,
                   PixelSize input)
    : options_(options),
      samples_(std::move(samples)),
      input_(input),
      resize_(options.choice("resize", kResizes)) {
  if (!options_.has("resize")) return;
  for (std::int64_t sample = 0; sample < samples_->size(); ++sample) {
    if (const auto known = samples_->placing(sample)) require_agreement(sample, *known);
  }
}

std::optional<BoxPlacing> Resizing::placing(std::int64_t sample,
                                            const AnnotatedImage& image) const {
  if (const auto known = samples_->placing(sample)) return placing_of_file(sample, image, *known);
  require_size(image);
  if (resize_ == "none") return std::nullopt;
  return placing_by(resize_, {.height = image.height, .width = image.width}, input_);
}

void Resizing::require_agreement(std::int64_t sample, const ImagePlacing& known) const {
  constexpr double kRounding = 0.75;  // a side is rounded by half a pixel, a border by none
  const BoxPlacing given = placing_by(resize_, pixel_size(known.image), pixel_size(known.sample));
  if (distance(given, known) <= kRounding) return;
  options_.refuse(
      "resize", fmt::format("got '{}', and the preprocess of the data has '{}', which puts '{}' of "
                            "{} x {} pixels elsewhere; leave 'resize' out, the preprocess says it",
                            resize_, known.how, samples_->sample_name(sample), known.image.width,
                            known.image.height));
}

/// The annotations may be in pixels of the file before it was made smaller.
BoxPlacing Resizing::placing_of_file(std::int64_t sample, const AnnotatedImage& image,
                                     const ImagePlacing& known) const {
  PixelSize size = pixel_size(known.image);
  double ratio_x = 1;
  double ratio_y = 1;
  if (image.width > 0 && image.height > 0) {
    ratio_x = image.width / size.width;
    ratio_y = image.height / size.height;
    size = {.height = image.height, .width = image.width};
  }
  constexpr double kRounding = 0.02;  // of the sides of small images
  if (std::abs(ratio_x / ratio_y - 1) > kRounding) {
    options_.refuse(
        "annotations",
        fmt::format("image {} of '{}' is {} x {} pixels and '{}', turned upright, {} x "
                    "{}, expected sides of the same ratio",
                    image.id, options_.text("annotations"), image.width, image.height,
                    samples_->sample_name(sample), known.image.width, known.image.height));
  }
  return {.image = size,
          .scale_x = known.scale_x / ratio_x,
          .scale_y = known.scale_y / ratio_y,
          .left = known.left,
          .top = known.top};
}

void Resizing::require_size(const AnnotatedImage& image) const {
  const bool is_known = image.width > 0 && image.height > 0;
  const bool is_input = image.width == input_.width && image.height == input_.height;
  if (resize_ == "none" ? is_input || !is_known : is_known) return;
  const std::string truth = options_.text("annotations");
  if (is_known) {
    options_.refuse(
        "resize",
        fmt::format("image {} of '{}' is {} x {} pixels and the model's input {} x {}, "
                    "expected how it was resized: stretch, letterbox or "
                    "letterbox_corner",
                    image.id, truth, image.width, image.height, input_.width, input_.height));
  }
  options_.refuse("resize", fmt::format("image {} of '{}' has no 'width' and 'height', from which "
                                        "its resizing could be taken back",
                                        image.id, truth));
}

}  // namespace quantsearch
