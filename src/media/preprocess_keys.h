#pragma once

// The keys of `preprocess`: one table that reads, writes and documents them.

#include <functional>
#include <string>
#include <vector>

#include "quantsearch/media.h"

namespace quantsearch {

template <typename Options>
struct MediaKey {
  std::string name;
  std::string meaning;
  std::function<void(Options&, const Value&)> read;
  std::function<Value(const Options&)> write;  // null: nothing is written
};

[[nodiscard]] const std::vector<MediaKey<ImagePreprocess>>& image_keys();
[[nodiscard]] const std::vector<MediaKey<SoundPreprocess>>& sound_keys();

}  // namespace quantsearch
