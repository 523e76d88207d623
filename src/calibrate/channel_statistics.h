#pragma once

// Extremes and means of every channel: axis 1 of rank >= 3, the last axis of rank 2.

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
  /// Of a tensor that is about to be added. From the first tensor whose number of channels differs,
  /// there are none.
  [[nodiscard]] ChannelShape shape_of(const Shape& shape);
  /// `count` finite values of one channel.
  void add_run(std::size_t channel, const RunSummary& summary, std::size_t count);
  /// A whole tensor with few values of a channel side by side; values that are not finite are
  /// passed over.
  void add_short_runs(std::span<const float> values, const ChannelShape& shape);
  void merge(const ChannelStatistics& other);
  void write(TensorStatistics& statistics) const;

 private:
  void drop();
  void start(std::size_t channels);

  bool is_started_ = false;
  bool varies_ = false;
  std::vector<float> min_;
  std::vector<float> max_;
  std::vector<std::uint64_t> counts_;
  ExactSums sums_{0};
};

}  // namespace quantsearch
