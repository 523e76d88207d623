#include "evaluate/tasks/coco_score.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>
#include <set>

namespace quantsearch {

namespace {

constexpr std::size_t kOverlaps = 10;
constexpr std::size_t kRecalls = 101;
constexpr std::array<std::size_t, 3> kMostDetections = {1, 10, 100};

struct AreaRange {
  const char* name;
  double low;
  double high;
};
// In pixels. An area on a limit belongs to both ranges.
constexpr std::array<AreaRange, 4> kAreas = {{{"", 0, 1e10},
                                              {"_small", 0, 32.0 * 32.0},
                                              {"_medium", 32.0 * 32.0, 96.0 * 96.0},
                                              {"_large", 96.0 * 96.0, 1e10}}};

/// Evenly spaced numbers, with the rounding of `first + i * step` that the benchmark has too, so
/// that recalls on a threshold fall on the same side.
template <std::size_t count>
std::array<double, count> spaced(double first, double last) {
  std::array<double, count> values{};
  const double step = (last - first) / static_cast<double>(count - 1);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<double>(i) * step + first;
  values.back() = last;
  return values;
}

/// What a detection counts as, for one overlap.
enum class Verdict : char { wrong, right, ignored };

/// One image, category and range of areas: the detections, best first, and what each counts as.
struct Matches {
  std::vector<double> scores;
  std::array<std::vector<Verdict>, kOverlaps> verdicts;
  std::int64_t objects = 0;  // boxes of the truth that count
};

struct ImageBoxes {
  std::vector<TruthBox> truth;
  std::vector<Detection> detections;  // best first
  std::vector<double> overlaps;       // [detections, truth]
};

ImageBoxes boxes_of(const std::vector<TruthBox>& truth, const std::vector<Detection>& detections,
                    std::int64_t category) {
  ImageBoxes boxes;
  std::ranges::copy_if(truth, std::back_inserter(boxes.truth),
                       [&](const TruthBox& box) { return box.category == category; });
  std::ranges::copy_if(detections, std::back_inserter(boxes.detections),
                       [&](const Detection& found) { return found.category == category; });
  std::ranges::stable_sort(boxes.detections, std::greater<>(), &Detection::score);
  boxes.detections.resize(std::min(boxes.detections.size(), kMostDetections.back()));
  for (const Detection& found : boxes.detections) {
    for (const TruthBox& box : boxes.truth) {
      const double common = intersection(found.box, box.box);
      // A crowd is as large as one wants: what counts is how much of the detection is in it.
      const double whole =
          box.is_crowd ? found.box.area() : found.box.area() + box.box.area() - common;
      boxes.overlaps.push_back(common > 0 ? common / whole : 0);
    }
  }
  return boxes;
}

/// Gives each detection, best first, the box of the truth that it overlaps most and that no better
/// one has. Boxes that do not count are taken only when no other is left.
class Matcher {
 public:
  Matcher(const ImageBoxes& boxes, const AreaRange& area) : boxes_(boxes), area_(area) {
    order_.resize(boxes.truth.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::stable_sort(order_, {}, [&](std::size_t box) { return is_ignored(box); });
  }

  [[nodiscard]] Matches matches(const std::array<double, kOverlaps>& overlaps) const {
    Matches result;
    for (const Detection& found : boxes_.detections) result.scores.push_back(found.score);
    for (std::size_t i = 0; i < overlaps.size(); ++i) result.verdicts[i] = verdicts(overlaps[i]);
    for (std::size_t box = 0; box < boxes_.truth.size(); ++box)
      result.objects += is_ignored(box) ? 0 : 1;
    return result;
  }

 private:
  [[nodiscard]] bool is_outside(double area) const { return area < area_.low || area > area_.high; }
  [[nodiscard]] bool is_ignored(std::size_t box) const {
    return boxes_.truth[box].is_crowd || is_outside(boxes_.truth[box].area);
  }

  [[nodiscard]] std::vector<Verdict> verdicts(double least_overlap) const {
    std::vector<Verdict> verdicts;
    std::vector<bool> is_taken(boxes_.truth.size());
    for (std::size_t found = 0; found < boxes_.detections.size(); ++found) {
      const auto box = best_box(found, least_overlap, is_taken);
      if (box) is_taken[*box] = true;
      const bool is_left_out =
          box ? is_ignored(*box) : is_outside(boxes_.detections[found].box.area());
      verdicts.push_back(is_left_out ? Verdict::ignored : box ? Verdict::right : Verdict::wrong);
    }
    return verdicts;
  }

  [[nodiscard]] std::optional<std::size_t> best_box(std::size_t found, double least_overlap,
                                                    const std::vector<bool>& is_taken) const {
    double best = std::min(least_overlap, 1 - 1e-10);
    std::optional<std::size_t> result;
    for (const std::size_t box : order_) {
      if (is_taken[box] && !boxes_.truth[box].is_crowd) continue;
      if (result && !is_ignored(*result) && is_ignored(box)) break;
      const double overlap = boxes_.overlaps[found * boxes_.truth.size() + box];
      if (overlap < best) continue;
      best = overlap;
      result = box;
    }
    return result;
  }

  const ImageBoxes& boxes_;
  const AreaRange& area_;
  std::vector<std::size_t> order_;  // boxes that count first
};

/// Precision and recall of one category in one range of areas.
struct Curve {
  double precision = 0;  // mean over the recalls
  double recall = 0;     // of all detections
};

/// Merges the detections of all images, at most `most` of each, best first.
Curve curve_of(const std::vector<Matches>& images, std::size_t overlap, std::size_t most,
               std::int64_t objects) {
  std::vector<std::pair<double, Verdict>> all;
  for (const Matches& image : images) {
    for (std::size_t i = 0; i < std::min(most, image.scores.size()); ++i)
      all.emplace_back(image.scores[i], image.verdicts[overlap][i]);
  }
  std::ranges::stable_sort(all, std::greater<>(), &std::pair<double, Verdict>::first);
  std::vector<double> recalls;
  std::vector<double> precisions;
  double right = 0;
  double wrong = 0;
  for (const auto& [score, verdict] : all) {
    right += verdict == Verdict::right ? 1 : 0;
    wrong += verdict == Verdict::wrong ? 1 : 0;
    recalls.push_back(right / static_cast<double>(objects));
    precisions.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
  }
  // The precision at a recall is the best one at that recall or beyond it.
  for (std::size_t i = precisions.size(); i-- > 1;)
    precisions[i - 1] = std::max(precisions[i - 1], precisions[i]);
  static const std::array<double, kRecalls> kLevels = spaced<kRecalls>(0, 1);
  Curve curve{.recall = recalls.empty() ? 0 : recalls.back()};
  for (const double level : kLevels) {
    const auto reached = std::ranges::lower_bound(recalls, level);
    if (reached != recalls.end())
      curve.precision += precisions[static_cast<std::size_t>(reached - recalls.begin())];
  }
  curve.precision /= static_cast<double>(kRecalls);
  return curve;
}

/// A mean over the categories that have objects.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  void write(std::map<std::string, double>& scores, const std::string& name) const {
    if (count_ > 0) scores[name] = sum_ / static_cast<double>(count_);
  }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

struct Means {
  std::array<Mean, kAreas.size()> precision;
  Mean precision_50;
  Mean precision_75;
  std::array<Mean, kMostDetections.size()> recall;
};

void add_category(Means& means, const std::vector<ImageBoxes>& images) {
  constexpr std::size_t kAt50 = 0;
  constexpr std::size_t kAt75 = 5;
  static const std::array<double, kOverlaps> kLevels = spaced<kOverlaps>(0.5, 0.95);
  for (std::size_t area = 0; area < kAreas.size(); ++area) {
    std::vector<Matches> matches;
    std::int64_t objects = 0;
    for (const ImageBoxes& image : images) {
      matches.push_back(Matcher(image, kAreas[area]).matches(kLevels));
      objects += matches.back().objects;
    }
    if (objects == 0) continue;
    for (std::size_t overlap = 0; overlap < kOverlaps; ++overlap) {
      const Curve curve = curve_of(matches, overlap, kMostDetections.back(), objects);
      means.precision[area].add(curve.precision);
      if (area > 0) continue;
      if (overlap == kAt50) means.precision_50.add(curve.precision);
      if (overlap == kAt75) means.precision_75.add(curve.precision);
      for (std::size_t most = 0; most < kMostDetections.size(); ++most) {
        means.recall[most].add(curve_of(matches, overlap, kMostDetections[most], objects).recall);
      }
    }
  }
}

}  // namespace

const std::vector<std::string>& coco_score_names() {
  static const std::vector<std::string> kNames = {
      "map", "map50", "map75", "map_small", "map_medium", "map_large", "mar1", "mar10", "mar100"};
  return kNames;
}

std::map<std::string, double> coco_scores(const std::vector<std::vector<TruthBox>>& truth,
                                          const std::vector<std::vector<Detection>>& detections) {
  std::set<std::int64_t> categories;  // a category without objects has no score
  for (const std::vector<TruthBox>& image : truth) {
    for (const TruthBox& box : image) categories.insert(box.category);
  }
  Means means;
  for (const std::int64_t category : categories) {
    std::vector<ImageBoxes> images;
    for (std::size_t image = 0; image < truth.size(); ++image)
      images.push_back(boxes_of(truth[image], detections[image], category));
    add_category(means, images);
  }
  std::map<std::string, double> scores;
  for (std::size_t area = 0; area < kAreas.size(); ++area)
    means.precision[area].write(scores, std::string("map") + kAreas[area].name);
  means.precision_50.write(scores, "map50");
  means.precision_75.write(scores, "map75");
  for (std::size_t most = 0; most < kMostDetections.size(); ++most)
    means.recall[most].write(scores, "mar" + std::to_string(kMostDetections[most]));
  return scores;
}

}  // namespace quantsearch
