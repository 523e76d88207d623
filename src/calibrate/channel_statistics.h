#pragma once

// Extremes and moments of every channel: axis 1, or the last axis.

#include <cstdint>
#include <span>
#include <vector>

#include "calibrate/exact_sum.h"
#include "calibrate/value_kernels.h"
#include "quantsearch/calibrate.h"

namespace quantsearch {

/// Values in memory are [outer, channels, inner]; no channels when the tensor has no such axis or
/// its size varies.
struct ChannelShape {
  std::int64_t channels = 0;
  std::int64_t inner = 0;
};

class ChannelStatistics {
 public:
  explicit ChannelStatistics(bool channels_last = false) : channels_last_(channels_last) {}

  /// Of a tensor that is about to be added. From the first tensor whose number of channels differs,
  /// there are none.
  [[nodiscard]] ChannelShape shape_of(const Shape& shape);
  /// `count` finite values of one channel.
  void add_run(std::size_t channel, const RunSummary& summary, std::size_t count);
  /// A whole tensor with few values of a channel side by side; values that are not finite are
  /// passed over.
  void add_short_runs(std::span<const float> values, const ChannelShape& shape);
  /// The same for one value of a channel at a time.
  void add_interleaved(std::span<const float> values);
  void merge(const ChannelStatistics& other);
  void write(TensorStatistics& statistics) const;

 private:
  void drop();
  void start(std::size_t channels);

  void add_finite(std::size_t channel, std::span<const float> values);

  bool channels_last_;
  bool is_started_ = false;
  bool varies_ = false;
  std::vector<float> min_;
  std::vector<float> max_;
  std::vector<std::uint64_t> counts_;
  ExactSums sums_{0};
  ExactSums squares_{0};
};

}  // namespace quantsearch
