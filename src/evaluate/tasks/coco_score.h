#pragma once

// Average precision and recall of detections as the COCO benchmark defines them (Lin et al. 2014,
// "Microsoft COCO: Common Objects in Context", and its detection evaluation,
// https://cocodataset.org/#detection-eval): precision at 101 recalls, ten overlaps from 0.50 to
// 0.95, at most 100 detections of a category in an image, and three ranges of area.

#include <map>
#include <string>
#include <vector>

#include "evaluate/tasks/boxes.h"

namespace quantsearch {

struct TruthBox {
  Box box;
  double area = 0;  // of the object, which may be less than that of its box
  std::int64_t category = 0;
  // A region of many objects: detections in it are neither right nor wrong.
  bool is_crowd = false;
};

/// The names of the scores: map, map50, map75, map_small, map_medium, map_large, mar1, mar10,
/// mar100.
[[nodiscard]] const std::vector<std::string>& coco_score_names();

/// `truth` and `detections`: one list for each image, in the order of the images' ids; detections
/// of equal score keep that order. A score without a box in the truth that it is about is absent.
[[nodiscard]] std::map<std::string, double> coco_scores(
    const std::vector<std::vector<TruthBox>>& truth,
    const std::vector<std::vector<Detection>>& detections);

}  // namespace quantsearch
