#include "evaluate/tasks/label_map.h"

#include <algorithm>

namespace quantsearch {

LabelMap::LabelMap(std::span<const std::int64_t> labels)
    : size_(static_cast<std::int64_t>(labels.size())) {
  for (const std::int64_t label : labels) {
    const auto narrow = static_cast<std::int32_t>(label);
    if (runs_.empty() || runs_.back().label != narrow) runs_.push_back({.label = narrow});
    ++runs_.back().length;
  }
  runs_.shrink_to_fit();
}

Confusion::Counts& Confusion::of(std::int32_t label) {
  const auto index = static_cast<std::size_t>(label);
  if (index >= counts_.size()) counts_.resize(index + 1);
  return counts_[index];
}

void Confusion::add(const LabelMap& truth, const LabelMap& found) {
  std::size_t at = 0;     // a run of `found`
  std::int32_t used = 0;  // pixels of it
  for (const LabelMap::Run& run : truth.runs()) {
    for (std::int32_t left = run.length; left > 0;) {
      const LabelMap::Run& other = found.runs()[at];
      const std::int32_t common = std::min(left, other.length - used);
      left -= common;
      used += common;
      if (used == other.length) {
        ++at;
        used = 0;
      }
      if (run.label < 0 || run.label == ignored_) continue;
      pixels_ += common;
      of(run.label).in_truth += common;
      of(other.label).found += common;
      if (run.label == other.label) of(run.label).right += common;
    }
  }
}

double Confusion::mean_overlap() const {
  double sum = 0;
  std::int64_t classes = 0;
  for (const Counts& counts : counts_) {
    const std::int64_t whole = counts.in_truth + counts.found - counts.right;
    if (whole == 0) continue;
    sum += static_cast<double>(counts.right) / static_cast<double>(whole);
    ++classes;
  }
  return classes == 0 ? 0 : sum / static_cast<double>(classes);
}

double Confusion::accuracy() const {
  std::int64_t right = 0;
  for (const Counts& counts : counts_) right += counts.right;
  return pixels_ == 0 ? 0 : static_cast<double>(right) / static_cast<double>(pixels_);
}

}  // namespace quantsearch
