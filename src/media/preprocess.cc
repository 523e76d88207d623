// Reads and writes `preprocess`.

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "media/preprocess_keys.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/media.h"

namespace quantsearch {

namespace {

constexpr std::string_view kPreset = "preset";

Value::Map keys_of_preset(const std::string& name) {
  std::vector<std::string> known;
  for (const PreprocessPreset& preset : preprocess_presets()) {
    if (preset.name == name) return preset.keys.as_map();
    known.push_back(preset.name);
  }
  throw InvalidInput(unknown_name_message("preset", name, known) +
                     "; or give a mapping of keys (docs/data.md)");
}

/// The preset's keys with those beside it laid over.
Value::Map merged_keys(const Value::Map& given) {
  Value merged(Value::Map{});
  for (const auto& [name, value] : given) {
    if (name != kPreset) continue;
    for (const auto& [key, default_value] : keys_of_preset(value.as_string()))
      merged.set(key, default_value);
  }
  for (const auto& [name, value] : given) {
    if (name != kPreset) merged.set(name, value);
  }
  return merged.as_map();
}

template <typename Options>
const MediaKey<Options>* find_key(const std::vector<MediaKey<Options>>& keys,
                                  const std::string& name) {
  const auto found = std::ranges::find(keys, name, &MediaKey<Options>::name);
  return found == keys.end() ? nullptr : &*found;
}

template <typename Options>
Options read_keys(const Value::Map& given, const std::vector<MediaKey<Options>>& keys) {
  Options options;
  for (const auto& [name, value] : given) {
    try {
      find_key(keys, name)->read(options, value);
    } catch (const InvalidInput& error) {
      throw InvalidInput(fmt::format("'{}': {}", name, error.what()));
    }
  }
  return options;
}

template <typename Options>
Value write_keys(const Options& options, const std::vector<MediaKey<Options>>& keys) {
  Value written(Value::Map{});
  for (const MediaKey<Options>& key : keys) written.set(key.name, key.write(options));
  return written;
}

/// Throws for unknown keys and for keys of both kinds. True: the keys are those of images.
bool is_for_images(const Value::Map& given) {
  std::string of_image;
  std::string of_sound;
  for (const auto& [name, value] : given) {
    if (find_key(image_keys(), name) != nullptr) {
      of_image = name;
    } else if (find_key(sound_keys(), name) != nullptr) {
      of_sound = name;
    } else {
      std::vector<std::string> known = {std::string(kPreset)};
      for (const PreprocessKey& key : preprocess_keys()) known.push_back(key.name);
      throw InvalidInput(unknown_name_message("key", name, known));
    }
  }
  if (!of_image.empty() && !of_sound.empty()) {
    throw InvalidInput(
        fmt::format("'{}' is a key for images and '{}' one for sounds, expected those of one kind",
                    of_image, of_sound));
  }
  return of_sound.empty();
}

void require_consistent(const ImagePreprocess& image) {
  const bool is_linear_or_less = image.interpolation == Interpolation::nearest ||
                                 image.interpolation == Interpolation::bilinear ||
                                 image.interpolation == Interpolation::area;
  if (!image.antialias && !is_linear_or_less)
    throw InvalidInput(
        "'antialias' is false, which only nearest, bilinear and area can be; leave it true");
  const auto refuse = [](bool is_given, const char* key, const char* modes) {
    if (is_given)
      throw InvalidInput(fmt::format(
          "'{}' has no effect under this 'resize', expected {}; change one of them", key, modes));
  };
  const bool is_cut = image.resize == ResizeMode::shorter || image.resize == ResizeMode::exact;
  refuse(image.crop_share != 1 && !is_cut, "crop_share", "'shorter' or 'exact'");
  refuse(image.multiple_of != 1 && image.resize != ResizeMode::longer, "multiple_of", "'longer'");
  refuse(image.size.has_value() && image.resize == ResizeMode::none, "size", "another one");
  const auto& size = image.size ? image.size : image.default_size;
  if (image.resize == ResizeMode::longer && (!size || size->height != size->width))
    throw InvalidInput("'resize: longer' needs one number as 'size', the most of the longer side");
  if (image.dtype == DataType::uint8 && (!image.mean.empty() || !image.std.empty()))
    throw InvalidInput("'dtype' is uint8, whose values are the pixels; leave out 'mean' and 'std'");
}

}  // namespace

Preprocess parse_preprocess(const Value& value) {
  if (value.is_string() && value.as_string().starts_with('{'))
    return parse_preprocess(parse_yaml(value.as_string(), "the mapping"));
  const Value::Map given =
      value.is_string() ? Value::Map{{std::string(kPreset), value}} : value.as_map();
  const Value::Map keys = merged_keys(given);
  if (keys.empty())
    throw InvalidInput("got no key, expected a preset or keys such as 'resize' and 'mean'");
  if (is_for_images(keys)) {
    const ImagePreprocess image = read_keys(keys, image_keys());
    require_consistent(image);
    return image;
  }
  const SoundPreprocess sound = read_keys(keys, sound_keys());
  if (sound.sample_rate == 0)
    throw InvalidInput("'sample_rate' is missing, expected the Hz that the model was trained with");
  return sound;
}

Value to_value(const Preprocess& preprocess) {
  if (const auto* const sound = std::get_if<SoundPreprocess>(&preprocess))
    return write_keys(*sound, sound_keys());
  return write_keys(std::get<ImagePreprocess>(preprocess), image_keys());
}

const std::vector<PreprocessPreset>& preprocess_presets() {
  using List = Value::List;
  using Map = Value::Map;
  const Value imagenet_mean(List{0.485, 0.456, 0.406});
  const Value imagenet_std(List{0.229, 0.224, 0.225});
  static const std::vector<PreprocessPreset> kAll = {
      {"imagenet",
       "classifiers of torchvision and timm: scaled to 256, the centre of 224 pixels, mean and std "
       "of ImageNet",
       Map{{"resize", "shorter"},
           {"default_size", 224},
           {"crop_share", 0.875},
           {"mean", imagenet_mean},
           {"std", imagenet_std}}},
      {"clip", "image encoders of CLIP: bicubic, the centre, mean and std of CLIP",
       Map{{"resize", "shorter"},
           {"default_size", 224},
           {"interpolation", "bicubic"},
           {"mean", List{0.48145466, 0.4578275, 0.40821073}},
           {"std", List{0.26862954, 0.26130258, 0.27577711}}}},
      {"yolo", "YOLOv5 to YOLO11: letterboxed with gray, values from 0 to 1",
       Map{{"resize", "letterbox"},
           {"default_size", 640},
           {"antialias", false},
           {"pad_value", 114}}},
      {"paddleocr",
       "recognition and direction classifiers of PaddleOCR: to the height, padded on the right, "
       "BGR, values from -1 to 1",
       Map{{"resize", "height"},
           {"default_size", List{48, 320}},
           {"antialias", false},
           {"colors", "BGR"},
           {"mean", 0.5},
           {"std", 0.5}}},
      {"paddleocr_det",
       "detection of PaddleOCR: the longer side at most 960, multiples of 32, BGR, mean and std of "
       "ImageNet",
       Map{{"resize", "longer"},
           {"default_size", 960},
           {"multiple_of", 32},
           {"antialias", false},
           {"colors", "BGR"},
           {"mean", imagenet_mean},
           {"std", imagenet_std}}},
      {"speech", "models of speech: mono, 16 kHz, values from -1 to 1",
       Map{{"sample_rate", 16000}}},
  };
  return kAll;
}

namespace {

template <typename Options>
void add_keys(const std::vector<MediaKey<Options>>& keys, bool is_for_images,
              std::vector<PreprocessKey>& all) {
  for (const auto& key : keys) {
    all.push_back({.name = key.name,
                   .meaning = key.meaning,
                   .default_value = key.write(Options{}),
                   .is_for_images = is_for_images});
  }
}

}  // namespace

std::vector<PreprocessKey> preprocess_keys() {
  std::vector<PreprocessKey> all;
  add_keys(image_keys(), true, all);
  add_keys(sound_keys(), false, all);
  return all;
}

}  // namespace quantsearch
