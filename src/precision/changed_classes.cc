#include "precision/changed_classes.h"

#include <algorithm>

namespace quantsearch {

namespace {

constexpr int kNoClass = -1;

/// The best class of each row of the last axis.
std::vector<int> classes_of(const Tensor& values) {
  const auto width = static_cast<std::size_t>(values.shape().back());
  const auto all = values.values<float>();
  std::vector<int> classes;
  for (std::size_t row = 0; width > 0 && (row + 1) * width <= all.size(); ++row) {
    const auto of_row = all.subspan(row * width, width);
    classes.push_back(static_cast<int>(std::ranges::max_element(of_row) - of_row.begin()));
  }
  return classes;
}

bool has_classes(const Tensor& values) {
  return !values.shape().empty() && values.type() == DataType::float32;
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

ReferenceClasses::ReferenceClasses(const Reference& reference,
                                   const std::optional<std::string>& output)
    : samples_(reference.data().size()) {
  for (const std::string& name : reference.output_names()) {
    if (!output || name == *output) outputs_.push_back(name);
  }
  classes_.resize(static_cast<std::size_t>(samples_) * outputs_.size());
  std::map<int, std::int64_t> frequency;
  for (std::int64_t run = 0; run < samples_; run += reference.batch()) {
    const std::int64_t count = std::min(reference.batch(), samples_ - run);
    const Batch outputs = reference.outputs(run);
    for (std::size_t at = 0; at < outputs_.size(); ++at) {
      const Tensor& values = outputs.at(outputs_[at]);
      if (!has_classes(values)) continue;
      const std::vector<int> classes = classes_of(values);
      for (const int best : classes) ++frequency[best];
      const std::size_t rows = classes.size() / static_cast<std::size_t>(count);
      for (std::int64_t sample = 0; sample < count; ++sample) {
        const auto begin = classes.begin() + sample * static_cast<std::ptrdiff_t>(rows);
        classes_[static_cast<std::size_t>(run + sample) * outputs_.size() + at].assign(
            begin, begin + static_cast<std::ptrdiff_t>(rows));
      }
    }
  }
  std::int64_t most = 0;
  for (const auto& [type, positions] : frequency) {
    positions_ += positions;
    if (positions > most) most_frequent_ = type;
    most = std::max(most, positions);
  }
  rare_positions_ = positions_ - most;
}

void ClassCounter::add(std::int64_t first_sample, std::int64_t count, const Batch& outputs) {
  std::int64_t changed = 0;
  std::int64_t changed_rare = 0;
  const std::size_t width = classes_.outputs_.size();
  const auto compare = [&](int best, int expected) {
    if (best == expected) return;
    ++changed;
    if (expected != classes_.most_frequent_) ++changed_rare;
  };
  for (std::size_t at = 0; at < width; ++at) {
    const Tensor& values = outputs.at(classes_.outputs_[at]);
    if (!has_classes(values)) continue;
    const auto first = static_cast<std::size_t>(first_sample);
    const std::vector<int> found = classes_of(values);
    const std::size_t rows = found.size() / static_cast<std::size_t>(count);
    for (std::size_t sample = 0; sample < static_cast<std::size_t>(count); ++sample) {
      const std::vector<int>& expected = classes_.classes_[(first + sample) * width + at];
      const bool is_comparable = expected.size() == rows;
      for (std::size_t row = 0; row < expected.size(); ++row)
        compare(is_comparable ? found[sample * rows + row] : kNoClass, expected[row]);
    }
  }
  changed_ += changed;
  changed_rare_ += changed_rare;
}

ChangedClasses ClassCounter::result() const {
  return {.share = share(changed_, classes_.positions_),
          .rare_share = share(changed_rare_, classes_.rare_positions_)};
}

}  // namespace quantsearch
