// Samples from images. Kept are the pixels after scaling, [height, width, channels] of uint8 in the
// order of the tensor's channels: a quarter of the bytes of the float32 sample that they become.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "media/sample_makers.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/media/picture.h"

namespace quantsearch {

namespace {

/// What a preprocessing means for one input of a model.
struct ImageTarget {
  std::optional<int> height = {};  // of the tensor; absent: by the image
  std::optional<int> width = {};
  int least_width = 1;  // ResizeMode::height, where the width is open
  ImageLayout layout = ImageLayout::nchw;
  ColorOrder colors = ColorOrder::rgb;
  DataType type = DataType::float32;
  bool has_batch_axis = true;

  [[nodiscard]] int channels() const { return colors == ColorOrder::gray ? 1 : 3; }
};

const char* color_name(ColorOrder colors) {
  switch (colors) {
    case ColorOrder::rgb:
      return "RGB";
    case ColorOrder::bgr:
      return "BGR";
    case ColorOrder::gray:
      return "gray";
  }
  return "";
}

std::span<const std::optional<std::int64_t>> axes_of(const MediaInput& input) {
  constexpr std::size_t kAxes = 3;
  return std::span(input.dimensions).last(kAxes);
}

std::optional<std::int64_t> channels_of(const MediaInput& input, ImageLayout layout) {
  return layout == ImageLayout::nchw ? axes_of(input).front() : axes_of(input).back();
}

bool may_be_channels(const std::optional<std::int64_t>& size) {
  return !size || *size == 1 || *size == 3;
}

ImageLayout layout_of(const ImagePreprocess& preprocess, const MediaInput& input) {
  if (preprocess.layout) {
    if (may_be_channels(channels_of(input, *preprocess.layout))) return *preprocess.layout;
    refuse_input(input,
                 "has another size than 1 or 3 where 'layout' has the channels; leave it out");
  }
  const auto is_sure = [&](ImageLayout layout) {
    const auto size = channels_of(input, layout);
    return size && may_be_channels(size);
  };
  if (is_sure(ImageLayout::nchw)) return ImageLayout::nchw;
  if (is_sure(ImageLayout::nhwc)) return ImageLayout::nhwc;
  if (!channels_of(input, ImageLayout::nchw)) return ImageLayout::nchw;
  if (!channels_of(input, ImageLayout::nhwc)) return ImageLayout::nhwc;
  refuse_input(
      input,
      "has no axis of 1 or 3 channels, as images have; make the samples yourself and give them "
      "as an .npz");
}

ColorOrder colors_of(const ImagePreprocess& preprocess, const MediaInput& input,
                     ImageLayout layout) {
  const auto channels = channels_of(input, layout);
  if (!preprocess.colors) return channels == 1 ? ColorOrder::gray : ColorOrder::rgb;
  const std::int64_t made = *preprocess.colors == ColorOrder::gray ? 1 : 3;
  if (channels.value_or(made) == made) return *preprocess.colors;
  refuse_input(
      input, fmt::format("takes {} channels and 'colors: {}' gives {}; set 'colors: {}'", *channels,
                         color_name(*preprocess.colors), made, made == 1 ? "RGB" : "gray"));
}

DataType type_of(const ImagePreprocess& preprocess, const MediaInput& input) {
  const DataType type = preprocess.dtype.value_or(input.type);
  if (type != input.type)
    refuse_input(input, fmt::format("does not take {}; leave out 'dtype'", to_string(type)));
  if (type != DataType::float32 && type != DataType::float16 && type != DataType::uint8)
    refuse_input(input, "takes no float32, float16 or uint8, which images become; give an .npz");
  if (type == DataType::uint8 && (!preprocess.mean.empty() || !preprocess.std.empty()))
    refuse_input(input, "takes the pixels as they are; set 'mean' and 'std' to null");
  return type;
}

/// A side of the tensor: that of the preprocessing, else that of the model, else the default.
std::optional<int> side_of(int ImageSize::*side, const ImagePreprocess& preprocess,
                           const std::optional<std::int64_t>& of_model, const MediaInput& input) {
  if (preprocess.size) {
    const int wanted = (*preprocess.size).*side;
    if (of_model.value_or(wanted) != wanted)
      refuse_input(input,
                   fmt::format("has {} where 'size' says {}; leave out 'size'", *of_model, wanted));
    return wanted;
  }
  if (of_model) return static_cast<int>(*of_model);
  if (preprocess.default_size) return (*preprocess.default_size).*side;
  return std::nullopt;
}

void set_sides(ImageTarget& target, const ImagePreprocess& preprocess, const MediaInput& input) {
  if (preprocess.resize == ResizeMode::none || preprocess.resize == ResizeMode::longer) return;
  const auto axes = axes_of(input);
  const std::size_t first = target.layout == ImageLayout::nchw ? 1 : 0;
  target.height = side_of(&ImageSize::height, preprocess, axes[first], input);
  target.width = side_of(&ImageSize::width, preprocess, axes[first + 1], input);
  if (preprocess.resize == ResizeMode::height && !preprocess.size && !axes[first + 1]) {
    target.least_width = target.width.value_or(1);
    target.width.reset();
  } else if (!target.width) {
    target.height.reset();
  }
  if (!target.height)
    refuse_input(input, "leaves height and width open; give 'size: [height, width]'");
}

ImageTarget settled(const ImagePreprocess& preprocess, const MediaInput& input) {
  const std::size_t rank = input.dimensions.size();
  if (rank != 3 && rank != 4)
    refuse_input(input,
                 "is no image; expected 4 dimensions such as [N, 3, 224, 224], or 3 without N");
  ImageTarget target{.has_batch_axis = rank == 4};
  target.layout = layout_of(preprocess, input);
  target.colors = colors_of(preprocess, input, target.layout);
  target.type = type_of(preprocess, input);
  set_sides(target, preprocess, input);
  for (const auto& [key, numbers] :
       {std::pair("mean", &preprocess.mean), {"std", &preprocess.std}}) {
    if (numbers->size() > 1 && target.channels() == 1)
      refuse_input(input, fmt::format("takes gray images and '{}' has {} numbers; give one", key,
                                      numbers->size()));
  }
  return target;
}

double number_at(const std::vector<double>& numbers, int channel, double absent) {
  if (numbers.empty()) return absent;
  return numbers.size() == 1 ? numbers[0] : numbers[static_cast<std::size_t>(channel)];
}

/// Python's round(): halves go to the even number.
int rounded(double value) { return static_cast<int>(std::nearbyint(value)); }

/// The pixels that are kept of a picture, scaled while it is decoded.
class KeptPixels final : public RowSink {
 public:
  using ScalingOf = std::function<Scaling(ImageSize)>;
  explicit KeptPixels(ScalingOf scaling_of) : scaling_of_(std::move(scaling_of)) {}
  /// [height, width, channels], after the last row.
  [[nodiscard]] const Tensor& pixels() const { return pixels_; }
  [[nodiscard]] ImageSize image() const { return image_; }

  [[nodiscard]] PictureRegion begin(ImageSize size) override {
    const Scaling scaling = scaling_of_(size);
    const auto& [height, width] = scaling.part.size;
    is_gray_ = scaling.colors == ColorOrder::gray;
    pixels_ = Tensor(DataType::uint8, {height, width, is_gray_ ? 1 : 3});
    scaler_ = row_scaler(size, scaling, pixels_.mutable_values<std::uint8_t>().data());
    image_ = size;
    width_ = static_cast<std::size_t>(size.width);
    if (is_gray_) gray_.resize(kRowsTogether * (width_ + kReadable));
    return pixels_for(scaling.part, size);
  }

  void take(int first, PictureRows rows) override {
    if (!is_gray_) return scaler_->take(first, rows);
    std::array<const std::uint8_t*, kRowsTogether> gray = {};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::uint8_t* const row = gray_.data() + i * (width_ + kReadable);
      to_gray({rows[i], width_ * 4}, row);
      gray[i] = row;
    }
    scaler_->take(first, PictureRows(gray).first(rows.size()));
  }

 private:
  ScalingOf scaling_of_;
  Tensor pixels_;
  std::unique_ptr<RowScaler> scaler_;
  bool is_gray_ = false;
  ImageSize image_;
  std::size_t width_ = 0;           // of the picture
  std::vector<std::uint8_t> gray_;  // rows that came together
};

/// The keys that say where an image is in its sample, for messages.
std::string placing_keys_of(const ImagePreprocess& preprocess) {
  const Value keys = to_value(preprocess);
  std::string text = fmt::format("resize: {}", keys.find("resize")->as_string());
  if (preprocess.resize == ResizeMode::letterbox)
    text += fmt::format(", place: {}", keys.find("place")->as_string());
  return text;
}

class ImageMaker final : public SampleMaker {
 public:
  ImageMaker(const ImagePreprocess& preprocess, const MediaInput& input)
      : preprocess_(preprocess),
        target_(settled(preprocess, input)),
        placing_keys_(placing_keys_of(preprocess)) {
    for (int channel = 0; channel < target_.channels(); ++channel) {
      auto& table = tables_[static_cast<std::size_t>(channel)];
      for (std::size_t pixel = 0; pixel < table.size(); ++pixel) {
        const double value =
            static_cast<double>(pixel) * preprocess.scale - number_at(preprocess.mean, channel, 0);
        table[pixel] = static_cast<float>(value / number_at(preprocess.std, channel, 1));
      }
    }
  }

  [[nodiscard]] KeptFile keep(std::span<const std::byte> file) const override {
    KeptPixels kept([this](ImageSize image) {
      return Scaling{.part = part_of(image),
                     .interpolation = preprocess_.interpolation,
                     .antialias = preprocess_.antialias,
                     .colors = target_.colors};
    });
    decode_picture(file, kept);
    return {.samples = {kept.pixels()}, .image = kept.image()};
  }

  [[nodiscard]] ImagePlacing placing(ImageSize image) const override {
    const ScaledPart part = part_of(image);
    const ImageSize canvas = canvas_of(part.size);
    const ImageSize margins = margins_of(canvas, part.size);
    return {.image = image,
            .sample = canvas,
            .scale_x = static_cast<double>(part.scaled.width) / image.width,
            .scale_y = static_cast<double>(part.scaled.height) / image.height,
            .left = static_cast<double>(margins.width - part.left),
            .top = static_cast<double>(margins.height - part.top),
            .how = placing_keys_};
  }

  [[nodiscard]] Tensor make(const Tensor& kept) const override {
    switch (target_.type) {
      case DataType::uint8:
        return filled<std::uint8_t>(kept);
      case DataType::float16:
        return filled<Float16>(kept);
      default:
        return filled<float>(kept);
    }
  }

  [[nodiscard]] Shape shape(const Tensor& kept) const override {
    return shape_of(canvas_of(size_of(kept)));
  }

 private:
  [[nodiscard]] static ImageSize size_of(const Tensor& kept) {
    return {.height = static_cast<int>(kept.shape()[0]),
            .width = static_cast<int>(kept.shape()[1])};
  }

  /// What is made of an image: its scaled size, and the part of it that is used.
  [[nodiscard]] ScaledPart part_of(ImageSize image) const {
    switch (preprocess_.resize) {
      case ResizeMode::none:
        return whole(image);
      case ResizeMode::exact:
        return center_of(enlarged_size());
      case ResizeMode::shorter:
        return center_of(covering(image));
      case ResizeMode::longer:
        return whole(limited(image));
      case ResizeMode::letterbox:
        return whole(fitted(image));
      case ResizeMode::height:
        return whole(of_height(image));
    }
    return {};
  }

  [[nodiscard]] static ScaledPart whole(ImageSize size) { return {.scaled = size, .size = size}; }

  /// The size of which `crop_share` is the wanted one.
  [[nodiscard]] ImageSize enlarged_size() const {
    return {.height = static_cast<int>(std::lround(*target_.height / preprocess_.crop_share)),
            .width = static_cast<int>(std::lround(*target_.width / preprocess_.crop_share))};
  }

  /// As torchvision's Resize: the longer side is rounded down.
  [[nodiscard]] ImageSize covering(ImageSize image) const {
    ImageSize size = enlarged_size();
    const std::int64_t by_height = std::int64_t{size.height} * image.width;
    const std::int64_t by_width = std::int64_t{size.width} * image.height;
    if (by_height >= by_width) {
      size.width = static_cast<int>(by_height / image.height);
    } else {
      size.height = static_cast<int>(by_width / image.width);
    }
    return size;
  }

  /// As torchvision's CenterCrop.
  [[nodiscard]] ScaledPart center_of(ImageSize scaled) const {
    const ImageSize size{.height = *target_.height, .width = *target_.width};
    return {.scaled = scaled,
            .top = rounded((scaled.height - size.height) / 2.0),
            .left = rounded((scaled.width - size.width) / 2.0),
            .size = size};
  }

  [[nodiscard]] ImageSize fitted(ImageSize image) const {
    const double ratio = std::min(static_cast<double>(*target_.height) / image.height,
                                  static_cast<double>(*target_.width) / image.width);
    return {.height = std::clamp(rounded(image.height * ratio), 1, *target_.height),
            .width = std::clamp(rounded(image.width * ratio), 1, *target_.width)};
  }

  /// As PaddleOCR's DetResizeForTest with the limit 'max'.
  [[nodiscard]] ImageSize limited(ImageSize image) const {
    const auto& most = preprocess_.size ? preprocess_.size : preprocess_.default_size;
    const double ratio =
        std::min(1.0, static_cast<double>(most->height) / std::max(image.height, image.width));
    const int step = preprocess_.multiple_of;
    const auto side = [&](int length) {
      const int shrunk = static_cast<int>(length * ratio);
      return std::max(rounded(static_cast<double>(shrunk) / step) * step, step);
    };
    return {.height = side(image.height), .width = side(image.width)};
  }

  /// As PaddleOCR's resize_norm_img.
  [[nodiscard]] ImageSize of_height(ImageSize image) const {
    const double width = static_cast<double>(*target_.height) * image.width / image.height;
    constexpr double kWidest = 1 << 16;
    const double most =
        target_.width ? *target_.width : std::clamp<double>(width, target_.least_width, kWidest);
    return {.height = *target_.height,
            .width = std::max(1, static_cast<int>(std::min(std::ceil(width), std::floor(most))))};
  }

  [[nodiscard]] ImageSize canvas_of(ImageSize kept) const {
    if (preprocess_.resize == ResizeMode::letterbox)
      return {.height = *target_.height, .width = *target_.width};
    if (preprocess_.resize == ResizeMode::height)
      return {.height = kept.height,
              .width = target_.width.value_or(std::max(kept.width, target_.least_width))};
    return kept;
  }

  /// Above and left of an image on its canvas. A margin of n and a half is n above and n + 1 below,
  /// as in the letterbox of YOLO.
  [[nodiscard]] ImageSize margins_of(ImageSize canvas, ImageSize image) const {
    const bool is_centered =
        preprocess_.resize == ResizeMode::letterbox && preprocess_.place == ImagePlace::center;
    if (!is_centered) return {};
    return {.height = rounded((canvas.height - image.height) / 2.0 - 0.1),
            .width = rounded((canvas.width - image.width) / 2.0 - 0.1)};
  }

  template <typename T>
  [[nodiscard]] T value_of(int channel, std::uint8_t pixel) const {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
      return pixel;
    } else {
      const float value = tables_[static_cast<std::size_t>(channel)][pixel];
      if constexpr (std::is_same_v<T, Float16>) {
        return to_float16(value);
      } else {
        return value;
      }
    }
  }

  template <typename T>
  [[nodiscard]] Tensor filled(const Tensor& kept) const {
    const ImageSize image = size_of(kept);
    const ImageSize canvas = canvas_of(image);
    const ImageSize margins = margins_of(canvas, image);
    const auto top = static_cast<std::size_t>(margins.height);
    const auto left = static_cast<std::size_t>(margins.width);
    const auto channels = static_cast<std::size_t>(target_.channels());
    const auto width = static_cast<std::size_t>(canvas.width);
    const std::size_t plane = static_cast<std::size_t>(canvas.height) * width;
    const bool is_planar = target_.layout == ImageLayout::nchw;
    Tensor sample(data_type_of<T>(), shape_of(canvas));
    const auto values = sample.template mutable_values<T>();
    const auto pixels = kept.values<std::uint8_t>();
    for (std::size_t channel = 0; channel < channels; ++channel) {
      T* const out = values.data() + (is_planar ? channel * plane : channel);
      const std::size_t step = is_planar ? 1 : channels;
      std::array<T, 256> table;
      for (std::size_t pixel = 0; pixel < table.size(); ++pixel)
        table[pixel] = value_of<T>(static_cast<int>(channel), static_cast<std::uint8_t>(pixel));
      if (preprocess_.pad_value && !(canvas == image)) {
        for (std::size_t i = 0; i < plane; ++i)
          out[i * step] = table[static_cast<std::size_t>(*preprocess_.pad_value)];
      }
      const std::uint8_t* in = pixels.data() + channel;
      for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
        T* row = out + ((top + y) * width + left) * step;
        for (int x = 0; x < image.width; ++x, in += channels, row += step) *row = table[*in];
      }
    }
    return sample;
  }

  [[nodiscard]] Shape shape_of(ImageSize canvas) const {
    Shape shape = {canvas.height, canvas.width};
    shape.insert(target_.layout == ImageLayout::nchw ? shape.begin() : shape.end(),
                 target_.channels());
    if (target_.has_batch_axis) shape.insert(shape.begin(), 1);
    return shape;
  }

  ImagePreprocess preprocess_;
  ImageTarget target_;
  std::string placing_keys_;
  std::array<std::array<float, 256>, 3> tables_ = {};  // tensor values by channel and pixel
};

}  // namespace

std::unique_ptr<const SampleMaker> image_maker(const ImagePreprocess& preprocess,
                                               const MediaInput& input) {
  return std::make_unique<const ImageMaker>(preprocess, input);
}

}  // namespace quantsearch
