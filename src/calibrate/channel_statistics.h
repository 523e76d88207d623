#pragma once

// Extremes and moments of every channel, along axis 1 or along the last axis.

#include <cstdint>
#include <span>
#include <vector>

#include "calibrate/exact_sum.h"
#include "calibrate/value_kernels.h"
#include "quantsearch/calibrate.h"

namespace quantsearch {

/// Values in memory are [outer, channels, inner]. `channels` is 0 when the tensor has no such axis
/// or the size of the axis varies.
struct ChannelShape {
  std::int64_t channels = 0;
  std::int64_t inner = 0;
};

class ChannelStatistics {
 public:
  explicit ChannelStatistics(bool channels_last = false) : channels_last_(channels_last) {}

  /// The channel shape of a tensor that is about to be added. There are no channels from the first
  /// tensor on whose number of channels differs.
  [[nodiscard]] ChannelShape shape_of(const Shape& shape);
  /// Adds `count` finite values of one channel.
  void add_run(std::size_t channel, const RunSummary& summary, std::size_t count);
  /// Adds a whole tensor that has few adjacent values of a channel; values that are not finite are
  /// skipped.
  void add_short_runs(std::span<const float> values, const ChannelShape& shape);
  /// The same for a tensor whose adjacent values belong to different channels.
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
