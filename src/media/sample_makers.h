#pragma once

// One maker per kind of media.

#include <memory>
#include <string>

#include "quantsearch/internal/media/sample_maker.h"

namespace quantsearch {

[[nodiscard]] std::unique_ptr<const SampleMaker> image_maker(const ImagePreprocess& preprocess,
                                                             const MediaInput& input);
[[nodiscard]] std::unique_ptr<const SampleMaker> sound_maker(const SoundPreprocess& preprocess,
                                                             const MediaInput& input);

/// "input 'x' float32 [?, 3, 224, 224]".
[[nodiscard]] std::string describe(const MediaInput& input);
/// Throws InvalidInput: the model's input, then the reason.
[[noreturn]] void refuse_input(const MediaInput& input, const std::string& reason);

}  // namespace quantsearch
