#include "calibrate/channel_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantsearch {

namespace {

ChannelShape layout(const Shape& shape, bool channels_last) {
  if (shape.size() < 2) return {};
  if (channels_last) return {.channels = shape.back(), .inner = 1};
  std::int64_t inner = 1;
  for (std::size_t axis = 2; axis < shape.size(); ++axis) inner *= shape[axis];
  return {.channels = shape[1], .inner = inner};
}

}  // namespace

void ChannelStatistics::drop() {
  is_started_ = true;
  varies_ = true;
  min_.clear();
  max_.clear();
  counts_.clear();
  sums_ = ExactSums(0);
  squares_ = ExactSums(0);
}

void ChannelStatistics::start(std::size_t channels) {
  is_started_ = true;
  min_.assign(channels, std::numeric_limits<float>::infinity());
  max_.assign(channels, -std::numeric_limits<float>::infinity());
  counts_.assign(channels, 0);
  sums_ = ExactSums(channels);
  squares_ = ExactSums(channels);
}

ChannelShape ChannelStatistics::shape_of(const Shape& shape) {
  const ChannelShape found = layout(shape, channels_last_);
  if (varies_) return {};
  if (!is_started_) start(static_cast<std::size_t>(found.channels));
  if (static_cast<std::int64_t>(counts_.size()) != found.channels) {
    drop();
    return {};
  }
  return found;
}

void ChannelStatistics::add_run(std::size_t channel, const RunSummary& summary, std::size_t count) {
  min_[channel] = std::min(min_[channel], summary.min);
  max_[channel] = std::max(max_[channel], summary.max);
  counts_[channel] += count;
  sums_.add(channel, summary.sum);
  squares_.add(channel, summary.sum_of_squares);
}

void ChannelStatistics::add_finite(std::size_t channel, std::span<const float> values) {
  RunSummary summary{.min = min_[channel], .max = max_[channel]};
  std::size_t count = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    summary.min = std::min(summary.min, value);
    summary.max = std::max(summary.max, value);
    summary.sum += value;
    summary.sum_of_squares += static_cast<double>(value) * value;
    ++count;
  }
  add_run(channel, summary, count);
}

void ChannelStatistics::add_short_runs(std::span<const float> values, const ChannelShape& shape) {
  if (shape.inner == 1) return add_interleaved(values);
  const auto inner = static_cast<std::size_t>(shape.inner);
  std::size_t channel = 0;
  for (std::size_t run = 0; run < values.size(); run += inner) {
    add_finite(channel, values.subspan(run, inner));
    channel = channel + 1 == counts_.size() ? 0 : channel + 1;
  }
}

void ChannelStatistics::add_interleaved(std::span<const float> values) {
  const std::size_t channels = counts_.size();
  const std::size_t rows = values.size() / channels;
  std::vector<double> sums(channels, 0.0);
  std::vector<double> squares(channels, 0.0);
  std::vector<float> low(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(channels));
  std::vector<float> high = low;
  for (std::size_t row = 0; row < rows; ++row) {
    const float* here = values.data() + row * channels;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      const float value = here[channel];
      low[channel] = std::min(low[channel], value);
      high[channel] = std::max(high[channel], value);
      sums[channel] += value;
      squares[channel] += static_cast<double>(value) * value;
    }
  }
  for (std::size_t channel = 0; channel < channels; ++channel) {
    // The sum is finite exactly when every value is, because the square of a float32 fits in a
    // double.
    if (std::isfinite(squares[channel])) {
      add_run(channel,
              {.min = low[channel],
               .max = high[channel],
               .sum = sums[channel],
               .sum_of_squares = squares[channel]},
              rows);
      continue;
    }
    for (std::size_t row = 0; row < rows; ++row)
      add_finite(channel, values.subspan(row * channels + channel, 1));
  }
}

void ChannelStatistics::merge(const ChannelStatistics& other) {
  if (!other.is_started_ || varies_) return;
  if (!is_started_) {
    *this = other;
    return;
  }
  if (other.varies_ || counts_.size() != other.counts_.size()) return drop();
  for (std::size_t channel = 0; channel < counts_.size(); ++channel) {
    min_[channel] = std::min(min_[channel], other.min_[channel]);
    max_[channel] = std::max(max_[channel], other.max_[channel]);
    counts_[channel] += other.counts_[channel];
  }
  sums_.merge(other.sums_);
  squares_.merge(other.squares_);
}

void ChannelStatistics::write(TensorStatistics& statistics) const {
  statistics.channels_last = channels_last_;
  for (std::size_t channel = 0; channel < counts_.size(); ++channel) {
    const bool has_values = counts_[channel] > 0;
    statistics.channel_min.push_back(has_values ? min_[channel] : 0);
    statistics.channel_max.push_back(has_values ? max_[channel] : 0);
    const double count = static_cast<double>(counts_[channel]);
    statistics.channel_mean.push_back(has_values ? sums_.value(channel) / count : 0);
    statistics.channel_mean_square.push_back(has_values ? squares_.value(channel) / count : 0);
  }
}

}  // namespace quantsearch
