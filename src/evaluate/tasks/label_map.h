#pragma once

// Classes of the pixels of an image. Neighbours mostly have the same class, so runs of equal
// classes take little memory.

#include <cstdint>
#include <span>
#include <vector>

namespace quantsearch {

class LabelMap {
 public:
  struct Run {
    std::int32_t label = 0;
    std::int32_t length = 0;
  };
  LabelMap() = default;
  explicit LabelMap(std::span<const std::int64_t> labels);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }

 private:
  std::vector<Run> runs_;
  std::int64_t size_ = 0;
};

/// Counts of pixels by the class of the truth and the class that was found.
class Confusion {
 public:
  /// Classes below 0 in the truth count as `ignored`.
  explicit Confusion(std::int64_t ignored) : ignored_(ignored) {}

  /// Both maps must have the same size.
  void add(const LabelMap& truth, const LabelMap& found);

  /// The mean over the classes that the truth or the model has of intersection over union; pixels
  /// whose truth is ignored count for nothing.
  [[nodiscard]] double mean_overlap() const;
  /// The share of pixels with the right class.
  [[nodiscard]] double accuracy() const;
  [[nodiscard]] std::int64_t pixels() const { return pixels_; }

 private:
  struct Counts {
    std::int64_t right = 0;
    std::int64_t in_truth = 0;
    std::int64_t found = 0;
  };
  Counts& of(std::int32_t label);

  std::int64_t ignored_;
  std::vector<Counts> counts_;  // by class
  std::int64_t pixels_ = 0;
};

}  // namespace quantsearch
