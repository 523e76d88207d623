#include "quantsearch/internal/media/sample_maker.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>

#include "media/sample_makers.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

std::string lower_extension(const std::string& file_name) {
  std::string extension = std::filesystem::path(file_name).extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return extension;
}

}  // namespace

std::unique_ptr<const SampleMaker> sample_maker(const Preprocess& preprocess,
                                                const MediaInput& input) {
  if (const auto* const sound = std::get_if<SoundPreprocess>(&preprocess))
    return sound_maker(*sound, input);
  return image_maker(std::get<ImagePreprocess>(preprocess), input);
}

std::string describe(const MediaInput& input) {
  std::vector<std::string> sizes;
  for (const auto& size : input.dimensions) sizes.push_back(size ? std::to_string(*size) : "?");
  return fmt::format("input '{}' {} [{}]", input.name, to_string(input.type),
                     fmt::join(sizes, ", "));
}

void refuse_input(const MediaInput& input, const std::string& reason) {
  throw InvalidInput(fmt::format("preprocess: the model's {} {}", describe(input), reason));
}

std::optional<MediaKind> media_kind(const std::string& file_name) {
  static constexpr std::array<std::string_view, 4> kImages = {".jpg", ".jpeg", ".png", ".webp"};
  const std::string extension = lower_extension(file_name);
  if (std::ranges::find(kImages, extension) != kImages.end()) return MediaKind::image;
  if (extension == ".wav") return MediaKind::sound;
  return std::nullopt;
}

bool is_foreign_image(const std::string& file_name) {
  static constexpr std::array<std::string_view, 9> kForeign = {
      ".bmp", ".gif", ".tif", ".tiff", ".heic", ".avif", ".jp2", ".ppm", ".jxl"};
  return std::ranges::find(kForeign, lower_extension(file_name)) != kForeign.end();
}

}  // namespace quantsearch
