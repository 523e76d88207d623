// Samples from sounds. Kept is the resampled sound, cut to the length of a sample.

#include <fmt/core.h>

#include <algorithm>

#include "media/sample_makers.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/media/sound.h"

namespace quantsearch {

namespace {

/// The axis of the samples: the only one that is not of size 1, or the last open one after a batch
/// axis in front.
std::size_t time_axis(const MediaInput& input) {
  const auto& sizes = input.dimensions;
  constexpr std::size_t kMostAxes = 3;
  std::optional<std::size_t> axis;
  for (std::size_t i = 0; i < sizes.size() && sizes.size() <= kMostAxes; ++i) {
    if (!sizes[i] || *sizes[i] == 1) continue;
    if (axis) refuse_input(input, "has several axes; expected one of samples, such as [N, 16000]");
    axis = i;
  }
  if (axis) return *axis;
  for (std::size_t i = sizes.size(); i-- > 0 && sizes.size() <= kMostAxes;) {
    if (!sizes[i]) return i;
  }
  refuse_input(input, "is no sound; expected an axis of samples, such as [N, 16000]");
}

class SoundMaker final : public SampleMaker {
 public:
  SoundMaker(const SoundPreprocess& preprocess, const MediaInput& input)
      : preprocess_(preprocess),
        type_(input.type),
        rank_(input.dimensions.size()),
        axis_(time_axis(input)) {
    if (type_ != DataType::float32 && type_ != DataType::float16)
      refuse_input(input, "takes no float32 or float16, which sounds become; give an .npz");
    const auto& of_model = input.dimensions[axis_];
    length_ = preprocess.length;
    if (of_model && length_.value_or(static_cast<int>(*of_model)) != *of_model)
      refuse_input(input, fmt::format("has {} samples where 'length' says {}; leave it out",
                                      *of_model, *length_));
    if (of_model) length_ = static_cast<int>(*of_model);
    if (!length_ && preprocess.fit == SoundFit::chunks)
      refuse_input(input, "leaves the number of samples open; give 'length', or 'fit: crop'");
  }

  [[nodiscard]] KeptFile keep(std::span<const std::byte> file) const override {
    const Sound sound = decode_wav(file);
    const std::vector<float> samples =
        resampled(sound.samples, sound.sample_rate, preprocess_.sample_rate);
    const std::size_t length = length_ ? static_cast<std::size_t>(*length_) : samples.size();
    std::vector<Tensor> pieces;
    for (std::size_t first = 0; first < samples.size(); first += length) {
      const std::size_t count = std::min(length, samples.size() - first);
      std::vector<float> piece(length);
      std::copy_n(samples.begin() + static_cast<std::ptrdiff_t>(first), count, piece.begin());
      pieces.push_back(Tensor::of<float>({static_cast<std::int64_t>(length)}, piece));
      if (preprocess_.fit == SoundFit::crop) break;
    }
    return {.samples = std::move(pieces)};
  }

  [[nodiscard]] ImagePlacing placing(ImageSize /*image*/) const override {
    throw InternalError("media: a sound has no place in an image");
  }

  [[nodiscard]] Tensor make(const Tensor& kept) const override {
    return convert(kept.reshaped(shape(kept)), type_);
  }

  [[nodiscard]] Shape shape(const Tensor& kept) const override {
    Shape sizes(rank_, 1);
    sizes[axis_] = kept.size();
    return sizes;
  }

 private:
  SoundPreprocess preprocess_;
  DataType type_;
  std::size_t rank_;
  std::size_t axis_;
  std::optional<int> length_;
};

}  // namespace

std::unique_ptr<const SampleMaker> sound_maker(const SoundPreprocess& preprocess,
                                               const MediaInput& input) {
  return std::make_unique<const SoundMaker>(preprocess, input);
}

}  // namespace quantsearch
