#pragma once

// From the bytes of an image or sound file to the samples of a model's input, in two steps: what is
// slow is done once and kept in a compact form, from which samples are made whenever they are read.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quantsearch/media.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

/// The input of the model that the files feed; an absent dimension is open.
struct MediaInput {
  std::string name;
  DataType type = DataType::float32;
  std::vector<std::optional<std::int64_t>> dimensions;
};

/// What is kept of a file.
struct KeptFile {
  std::vector<Tensor> samples;          // at least one
  std::optional<ImageSize> image = {};  // the size of an image, turned upright
};

class SampleMaker {
 public:
  virtual ~SampleMaker() = default;
  /// Throws InvalidInput whose message is only the reason. Safe from several threads.
  [[nodiscard]] virtual KeptFile keep(std::span<const std::byte> file) const = 0;
  /// Where an image of this size is in its sample.
  [[nodiscard]] virtual ImagePlacing placing(ImageSize image) const = 0;
  /// The sample of a kept form, with a first axis of 1 where the model's input has a batch axis.
  [[nodiscard]] virtual Tensor make(const Tensor& kept) const = 0;
  /// The shape of that sample.
  [[nodiscard]] virtual Shape shape(const Tensor& kept) const = 0;
};

/// Throws InvalidInput when samples of this preprocessing cannot fit the input.
[[nodiscard]] std::unique_ptr<const SampleMaker> sample_maker(const Preprocess& preprocess,
                                                              const MediaInput& input);

enum class MediaKind { image, sound };
/// By the extension of the file's name, in any case; nothing for other files.
[[nodiscard]] std::optional<MediaKind> media_kind(const std::string& file_name);
/// True for images in formats that are not read, such as .bmp and .gif.
[[nodiscard]] bool is_foreign_image(const std::string& file_name);

}  // namespace quantsearch
