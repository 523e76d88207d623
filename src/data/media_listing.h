#pragma once

// The image or sound files of a folder, and the classes that its sub-folders stand for.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/internal/media/sample_maker.h"

namespace quantsearch {

struct MediaFile {
  std::string name;        // relative to the folder, such as "cat/1.jpg"
  std::string sub_folder;  // "cat"; empty: it lies directly in the folder
};

struct MediaListing {
  MediaKind kind = MediaKind::image;
  // One file of each sub-folder in turn, so that the first files are a fair choice of all; within a
  // sub-folder in the order of their names.
  std::vector<MediaFile> files;
  // Sorted names of the sub-folders, when all files lie in at least two of them; or the lines of
  // 'classes.txt' in the folder.
  std::vector<std::string> classes;
  bool has_class_file = false;
  std::int64_t foreign_images = 0;  // files in formats that are not read
};

/// Nothing when there is no such file. Throws InvalidInput when there are images and sounds, only
/// images in other formats, or a sub-folder that 'classes.txt' does not name.
[[nodiscard]] std::optional<MediaListing> list_media(const std::filesystem::path& folder);

}  // namespace quantsearch
