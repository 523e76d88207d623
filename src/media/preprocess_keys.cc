#include "media/preprocess_keys.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

template <typename Choice>
using Choices = std::span<const std::pair<std::string_view, Choice>>;

constexpr std::array<std::pair<std::string_view, ResizeMode>, 6> kResizeModes = {
    {{"none", ResizeMode::none},
     {"exact", ResizeMode::exact},
     {"shorter", ResizeMode::shorter},
     {"longer", ResizeMode::longer},
     {"letterbox", ResizeMode::letterbox},
     {"height", ResizeMode::height}}};
constexpr std::array<std::pair<std::string_view, Interpolation>, 5> kInterpolations = {
    {{"nearest", Interpolation::nearest},
     {"bilinear", Interpolation::bilinear},
     {"bicubic", Interpolation::bicubic},
     {"lanczos", Interpolation::lanczos},
     {"area", Interpolation::area}}};
constexpr std::array<std::pair<std::string_view, ImagePlace>, 2> kPlaces = {
    {{"center", ImagePlace::center}, {"top_left", ImagePlace::top_left}}};
constexpr std::array<std::pair<std::string_view, ImageLayout>, 2> kLayouts = {
    {{"NCHW", ImageLayout::nchw}, {"NHWC", ImageLayout::nhwc}}};
constexpr std::array<std::pair<std::string_view, ColorOrder>, 3> kColors = {
    {{"RGB", ColorOrder::rgb}, {"BGR", ColorOrder::bgr}, {"gray", ColorOrder::gray}}};
constexpr std::array<std::pair<std::string_view, DataType>, 3> kTypes = {
    {{"float32", DataType::float32}, {"float16", DataType::float16}, {"uint8", DataType::uint8}}};
constexpr std::array<std::pair<std::string_view, SoundFit>, 2> kFits = {
    {{"crop", SoundFit::crop}, {"chunks", SoundFit::chunks}}};

template <typename Choice>
Choice chosen(const Value& value, std::type_identity_t<Choices<Choice>> choices) {
  const std::string& name = value.as_string();
  std::vector<std::string> known;
  for (const auto& [text, choice] : choices) {
    if (text == name) return choice;
    known.emplace_back(text);
  }
  throw InvalidInput(unknown_name_message("value", name, known));
}

template <typename Choice>
Value name_of(Choice choice, std::type_identity_t<Choices<Choice>> choices) {
  for (const auto& [text, known] : choices) {
    if (known == choice) return text;
  }
  return {};
}

/// A key whose value is one of some names. An optional one may be null, which leaves it open.
template <typename Options, typename Choice>
MediaKey<Options> choice_key(const std::pair<std::string, std::string>& text,
                             Choice Options::*field,
                             std::type_identity_t<Choices<Choice>> choices) {
  return {.name = text.first,
          .meaning = text.second,
          .read = [=](Options& options,
                      const Value& value) { options.*field = chosen<Choice>(value, choices); },
          .write = [=](const Options& options) { return name_of(options.*field, choices); }};
}
template <typename Options, typename Choice>
MediaKey<Options> open_choice_key(const std::pair<std::string, std::string>& text,
                                  std::optional<Choice> Options::*field,
                                  std::type_identity_t<Choices<Choice>> choices) {
  return {.name = text.first,
          .meaning = text.second,
          .read =
              [=](Options& options, const Value& value) {
                options.*field =
                    value.is_null() ? std::nullopt : std::optional(chosen<Choice>(value, choices));
              },
          .write =
              [=](const Options& options) {
                return options.*field ? name_of(*(options.*field), choices) : Value();
              }};
}

int read_whole(const Value& value, int least, int most) {
  const std::int64_t number = value.as_int();
  if (number < least || number > most)
    throw InvalidInput(fmt::format("got {}, expected {} to {}", number, least, most));
  return static_cast<int>(number);
}

constexpr int kLongestSide = 1 << 16;

std::optional<ImageSize> read_size(const Value& value) {
  if (value.is_null()) return std::nullopt;
  if (!value.is_list()) {
    const int side = read_whole(value, 1, kLongestSide);
    return ImageSize{.height = side, .width = side};
  }
  if (value.as_list().size() != 2)
    throw InvalidInput(fmt::format("got a list of {}, expected one number or [height, width]",
                                   value.as_list().size()));
  return ImageSize{.height = read_whole(value.as_list()[0], 1, kLongestSide),
                   .width = read_whole(value.as_list()[1], 1, kLongestSide)};
}

Value size_value(const std::optional<ImageSize>& size) {
  if (!size) return {};
  return Value::List{size->height, size->width};
}

std::vector<double> read_numbers(const Value& value) {
  if (value.is_null()) return {};
  if (!value.is_list()) return {value.as_double()};
  std::vector<double> numbers;
  for (const Value& number : value.as_list()) numbers.push_back(number.as_double());
  if (numbers.size() != 1 && numbers.size() != 3)
    throw InvalidInput(fmt::format(
        "got {} numbers, expected one, or three in the order of 'colors'", numbers.size()));
  return numbers;
}

Value numbers_value(const std::vector<double>& numbers) {
  if (numbers.empty()) return {};
  return Value::List(numbers.begin(), numbers.end());
}

double read_between(const Value& value, double above, double most) {
  const double number = value.as_double();
  if (!(number > above) || number > most)
    throw InvalidInput(
        fmt::format("got {}, expected a number above {} and at most {}", number, above, most));
  return number;
}

std::vector<double> read_std(const Value& value) {
  std::vector<double> numbers = read_numbers(value);
  for (const double number : numbers) {
    if (!(number > 0) || !std::isfinite(number))
      throw InvalidInput(fmt::format("got {}, expected numbers above 0", number));
  }
  return numbers;
}

using Image = ImagePreprocess;
using ImageKey = MediaKey<Image>;

std::vector<ImageKey> geometry_keys() {
  return {
      choice_key<Image>({"resize",
                         "exact: to the size; shorter: scaled to cover the size, of which the "
                         "centre is cut; letterbox: scaled to fit inside the size, the rest is "
                         "padding; height: to the height, squeezed to the width or padded on the "
                         "right; longer: the "
                         "longer side at most the size; none"},
                        &Image::resize, kResizeModes),
      {.name = "size",
       .meaning = "height and width of the tensor: one number, or [height, width]; absent: those "
                  "of the model's input",
       .read = [](Image& image, const Value& value) { image.size = read_size(value); },
       .write = [](const Image& image) { return size_value(image.size); }},
      {.name = "default_size",
       .meaning = "the size where neither 'size' nor the model's input says it",
       .read = [](Image& image, const Value& value) { image.default_size = read_size(value); },
       .write = [](const Image& image) { return size_value(image.default_size); }},
      {.name = "crop_share",
       .meaning = "shorter, exact: the part of the scaled image that is kept, such as 0.875 for "
                  "224 of 256 "
                  "pixels",
       .read = [](Image& image,
                  const Value& value) { image.crop_share = read_between(value, 0, 1); },
       .write = [](const Image& image) { return Value(image.crop_share); }},
      {.name = "multiple_of",
       .meaning = "longer: both sides are rounded to multiples of this",
       .read = [](Image& image,
                  const Value& value) { image.multiple_of = read_whole(value, 1, 1 << 12); },
       .write = [](const Image& image) { return Value(image.multiple_of); }},
      choice_key<Image>({"interpolation", "nearest, bilinear, bicubic, lanczos or area"},
                        &Image::interpolation, kInterpolations),
      {.name = "antialias",
       .meaning = "true: every pixel counts when an image becomes smaller, as in Pillow; false: "
                  "the nearest ones, as in OpenCV (nearest and bilinear only)",
       .read = [](Image& image, const Value& value) { image.antialias = value.as_bool(); },
       .write = [](const Image& image) { return Value(image.antialias); }},
      choice_key<Image>({"place", "letterbox: where the image is, center or top_left"},
                        &Image::place, kPlaces),
      {.name = "pad_value",
       .meaning = "letterbox, height: padding as a pixel from 0 to 255; absent: 0 in the tensor",
       .read =
           [](Image& image, const Value& value) {
             constexpr int kWhite = 255;
             image.pad_value =
                 value.is_null() ? std::nullopt : std::optional(read_whole(value, 0, kWhite));
           },
       .write =
           [](const Image& image) { return image.pad_value ? Value(*image.pad_value) : Value(); }},
  };
}

std::vector<ImageKey> value_keys() {
  return {
      {.name = "scale",
       .meaning = "tensor = (pixel * scale - mean) / std; 1/255 is a number from 0 to 1",
       .read =
           [](Image& image, const Value& value) {
             constexpr double kMost = 1e6;
             image.scale = read_between(value, 0, kMost);
           },
       .write = [](const Image& image) { return Value(image.scale); }},
      {.name = "mean",
       .meaning = "one number, or one per channel in the order of 'colors'",
       .read = [](Image& image, const Value& value) { image.mean = read_numbers(value); },
       .write = [](const Image& image) { return numbers_value(image.mean); }},
      {.name = "std",
       .meaning = "one number, or one per channel in the order of 'colors'",
       .read = [](Image& image, const Value& value) { image.std = read_std(value); },
       .write = [](const Image& image) { return numbers_value(image.std); }},
      open_choice_key<Image>({"layout", "NCHW or NHWC; absent: that of the model's input"},
                             &Image::layout, kLayouts),
      open_choice_key<Image>(
          {"colors", "RGB, BGR or gray; null: RGB or gray, by the channels of the model's input"},
          &Image::colors, kColors),
      open_choice_key<Image>(
          {"dtype", "float32, float16 or uint8; absent: the type of the model's input"},
          &Image::dtype, kTypes),
  };
}

using SoundOptions = SoundPreprocess;

}  // namespace

const std::vector<MediaKey<ImagePreprocess>>& image_keys() {
  static const std::vector<ImageKey> kAll = [] {
    std::vector<ImageKey> keys = geometry_keys();
    for (ImageKey& key : value_keys()) keys.push_back(std::move(key));
    return keys;
  }();
  return kAll;
}

const std::vector<MediaKey<SoundPreprocess>>& sound_keys() {
  constexpr int kHighestRate = 1'000'000;
  static const std::vector<MediaKey<SoundOptions>> kAll = {
      {.name = "sample_rate",
       .meaning = "Hz that the model expects; sounds of another rate are resampled",
       .read = [](SoundOptions& sound,
                  const Value& value) { sound.sample_rate = read_whole(value, 1, kHighestRate); },
       .write = [](const SoundOptions& sound) { return Value(sound.sample_rate); }},
      {.name = "length",
       .meaning = "samples of a tensor; absent: those of the model's input, or the whole sound "
                  "where it leaves them open",
       .read =
           [](SoundOptions& sound, const Value& value) {
             constexpr int kLongest = 1 << 30;
             sound.length =
                 value.is_null() ? std::nullopt : std::optional(read_whole(value, 1, kLongest));
           },
       .write =
           [](const SoundOptions& sound) { return sound.length ? Value(*sound.length) : Value(); }},
      choice_key<SoundOptions>({"fit",
                                "crop: the beginning of the sound, padded with zeros; chunks: one "
                                "sample after the other until its end"},
                               &SoundOptions::fit, kFits),
  };
  return kAll;
}

}  // namespace quantsearch
