#pragma once

// The ground truth of a detector, in the JSON of the COCO benchmark
// (https://cocodataset.org/#format-data).

#include <cstdint>
#include <filesystem>
#include <map>
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

/// The images by the names of their files.
class ImagesByName {
 public:
  /// `images` must outlive the object.
  explicit ImagesByName(const std::vector<AnnotatedImage>& images);
  /// The image of the file `name`, whose folder need not be the same when no other file has the
  /// name. Null: none.
  [[nodiscard]] const AnnotatedImage* find(const std::string& name) const;

 private:
  std::map<std::string, const AnnotatedImage*> by_path_;
  std::map<std::string, const AnnotatedImage*> by_name_;  // null: of several
};

}  // namespace quantsearch
