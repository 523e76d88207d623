#include "calibrate/density.h"

#include <algorithm>
#include <cmath>

namespace quantsearch {

namespace {

/// Moments of `count` values that are uniform in [low, high].
Density::Moments uniform(double count, double low, double high) {
  return {.count = count,
          .first = count * (low + high) / 2,
          .second = count * (low * low + low * high + high * high) / 3};
}

/// Counts from the most negative bin upwards, without exact zeros.
std::vector<double> signed_counts(const Histogram& histogram) {
  std::vector<double> counts;
  counts.reserve(histogram.negative.size() + histogram.positive.size());
  for (auto bin = histogram.negative.rbegin(); bin != histogram.negative.rend(); ++bin) {
    counts.push_back(static_cast<double>(*bin));
  }
  for (const std::uint64_t bin : histogram.positive) counts.push_back(static_cast<double>(bin));
  if (!histogram.positive.empty()) {
    counts[histogram.negative.size()] -= static_cast<double>(histogram.zeros);
  }
  return counts;
}

}  // namespace

Density::Moments& Density::Moments::operator+=(const Moments& other) {
  count += other.count;
  first += other.first;
  second += other.second;
  return *this;
}

Density::Moments operator-(const Density::Moments& left, const Density::Moments& right) {
  return {.count = left.count - right.count,
          .first = left.first - right.first,
          .second = left.second - right.second};
}

double Density::Moments::squared_distance(double level) const {
  return second - 2 * level * first + level * level * count;
}

Density::Density(const TensorStatistics& statistics)
    : bin_width_(statistics.histogram.bin_width()), count_(static_cast<double>(statistics.count)) {
  const std::vector<double> all = signed_counts(statistics.histogram);
  const auto is_filled = [](double count) { return count > 0; };
  const auto first = std::find_if(all.begin(), all.end(), is_filled);
  const auto last = std::find_if(all.rbegin(), all.rend(), is_filled).base();
  if (first == all.end()) {
    edges_ = {0};
    below_ = {Moments{}};
    return;
  }
  counts_.assign(first, last);
  origin_ = static_cast<double>(first - all.begin()) -
            static_cast<double>(statistics.histogram.negative.size());
  const double end = origin_ + static_cast<double>(counts_.size());
  for (double edge = origin_; edge <= end; ++edge) edges_.push_back(edge);
  edges_.front() =
      std::clamp(static_cast<double>(statistics.min) / bin_width_, origin_, origin_ + 1);
  edges_.back() = std::clamp(static_cast<double>(statistics.max) / bin_width_, end - 1, end);
  below_.resize(edges_.size());
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    below_[bin + 1] = below_[bin];
    below_[bin + 1] += uniform(counts_[bin], edges_[bin], edges_[bin + 1]);
  }
}

Density::Moments Density::below(double position) const {
  if (position <= low()) return {};
  if (position >= high()) return total();
  const auto bin = static_cast<std::size_t>(std::floor(position) - origin_);
  const double share = (position - edges_[bin]) / (edges_[bin + 1] - edges_[bin]);
  Moments moments = below_[bin];
  moments += uniform(counts_[bin] * share, edges_[bin], position);
  return moments;
}

}  // namespace quantsearch
