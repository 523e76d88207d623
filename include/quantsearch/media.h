#pragma once

// How image and sound files become the inputs of a model: what `preprocess` in a configuration
// says.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

enum class ResizeMode {
  none,       // every image keeps its size
  exact,      // to the size, whatever the aspect ratio
  shorter,    // the size is cut from the centre of the image, scaled to cover it
  longer,     // the longer side is at most the size, sides are multiples of `multiple_of`
  letterbox,  // scaled to fit inside the size, the rest is padding
  height,     // to the height; squeezed to the width, or padded on the right
};
enum class Interpolation { nearest, bilinear, bicubic, lanczos, area };
enum class ColorOrder { rgb, bgr, gray };
enum class ImageLayout { nchw, nhwc };
enum class ImagePlace { center, top_left };

struct ImageSize {
  int height = 0;
  int width = 0;
  bool operator==(const ImageSize&) const = default;
};

/// Where an image is in the sample that was made of it: its point (x, y), in pixels from the upper
/// left corner, is at (x * scale_x + left, y * scale_y + top). What is beyond the sample was cut.
struct ImagePlacing {
  ImageSize image;  // turned upright
  ImageSize sample;
  double scale_x = 1;
  double scale_y = 1;
  double left = 0;
  double top = 0;
  std::string how = {};  // the keys of the preprocessing that say so: "resize: letterbox"
  bool operator==(const ImagePlacing&) const = default;
};

struct ImagePreprocess {
  ResizeMode resize = ResizeMode::exact;
  std::optional<ImageSize> size = {};          // absent: that of the model's input
  std::optional<ImageSize> default_size = {};  // where the model's input leaves it open
  // ResizeMode::shorter, exact: the part of the scaled image that is kept, cut from its centre.
  double crop_share = 1;
  int multiple_of = 1;
  Interpolation interpolation = Interpolation::bilinear;
  // True: every source pixel counts, as in Pillow. False: the nearest ones, as in OpenCV.
  bool antialias = true;
  ImagePlace place = ImagePlace::center;  // of a letterboxed image
  // A pixel in 0..255; absent: padding is 0 in the tensor.
  std::optional<int> pad_value = {};
  // value = (pixel * scale - mean) / std, per channel of the tensor.
  double scale = 1.0 / 255;
  std::vector<double> mean = {};                       // one number, or one per channel; empty: 0
  std::vector<double> std = {};                        // the same; empty: 1
  std::optional<ImageLayout> layout = {};              // absent: that of the model's input
  std::optional<ColorOrder> colors = ColorOrder::rgb;  // absent: by the channels of the input
  std::optional<DataType> dtype = {};                  // absent: the type of the model's input
  bool operator==(const ImagePreprocess&) const = default;
};

enum class SoundFit {
  crop,    // the first samples; a shorter sound is padded with zeros
  chunks,  // one sample after the other until the end, the last padded with zeros
};
struct SoundPreprocess {
  int sample_rate = 0;             // Hz
  std::optional<int> length = {};  // in samples; absent: that of the model's input
  SoundFit fit = SoundFit::crop;
  bool operator==(const SoundPreprocess&) const = default;
};

using Preprocess = std::variant<ImagePreprocess, SoundPreprocess>;

/// Reads a preset's name, or a mapping of keys with or without `preset`. A text that begins with
/// '{' is read as such a mapping. Throws InvalidInput for an unknown preset or key, a wrong value,
/// and keys that exclude each other.
[[nodiscard]] Preprocess parse_preprocess(const Value& value);
/// The mapping that parse_preprocess() reads as `preprocess`.
[[nodiscard]] Value to_value(const Preprocess& preprocess);

struct PreprocessPreset {
  std::string name;
  std::string meaning;
  Value keys;
};
[[nodiscard]] const std::vector<PreprocessPreset>& preprocess_presets();

struct PreprocessKey {
  std::string name;
  std::string meaning;
  Value default_value;        // null: left open
  bool is_for_images = true;  // false: for sounds
};
/// The keys of a mapping except `preset`; docs/data.md has a row for each.
[[nodiscard]] std::vector<PreprocessKey> preprocess_keys();

}  // namespace quantsearch
