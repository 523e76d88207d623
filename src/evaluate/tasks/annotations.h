#pragma once

// The ground truth of a detector, in the JSON of the COCO benchmark
// (https://cocodataset.org/#format-data).

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "evaluate/tasks/coco_score.h"

namespace quantsearch {

struct AnnotatedImage {
  std::int64_t id = 0;
  std::string file_name = {};  // empty when the file does not say
  double height = 0;           // in pixels; 0 when the file does not say
  double width = 0;
  std::vector<TruthBox> boxes = {};  // in pixels of the image
};

struct Annotations {
  std::vector<AnnotatedImage> images;    // in the order of the file
  std::vector<std::int64_t> categories;  // ids, ascending
};

/// Throws InvalidInput for a file that is not such JSON, naming the place; IoError when it cannot
/// be read.
[[nodiscard]] Annotations read_annotations(const std::filesystem::path& file);

}  // namespace quantsearch
