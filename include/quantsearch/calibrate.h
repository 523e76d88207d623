#pragma once

// Collects statistics in one pass over the data. The ranges of every range method, symmetry and bit
// width are computed from them without further inference. docs/quantization.md derives the
// formulas.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// Counts of |x| in bins of width 2^exponent from 0 outwards, one array per sign. Bin k holds k*w
/// <= |x| < (k+1)*w, and the largest |x| lies in the upper half of the bins (unless it is below
/// 2^-115). Zero counts as positive. The width doubles by merging neighbours when the range grows,
/// so the result does not depend on the order of the values.
struct Histogram {
  int exponent = 0;
  std::vector<std::uint64_t> negative;  // [bins]
  std::vector<std::uint64_t> positive;  // [bins]
  std::uint64_t zeros = 0;              // exact zeros, also counted in positive[0]

  bool operator==(const Histogram&) const = default;
  [[nodiscard]] double bin_width() const;
  [[nodiscard]] std::uint64_t count() const;
};

/// Statistics of one tensor over all samples.
struct TensorStatistics {
  std::uint64_t count = 0;  // finite values
  std::uint64_t nan_count = 0;
  std::uint64_t infinite_count = 0;
  float min = 0;  // of the finite values; 0, 0 when there are none
  float max = 0;
  double sum = 0;
  double sum_of_squares = 0;
  // [samples with finite values], in sample order, for moving averages
  std::vector<float> sample_min;
  std::vector<float> sample_max;
  Histogram histogram;
  // Per channel: along axis 1, or along the last axis with `channels_last`. Empty when the axis
  // size varies.
  bool channels_last = false;
  std::vector<float> channel_min;           // [channels]
  std::vector<float> channel_max;           // [channels]
  std::vector<double> channel_mean;         // [channels]
  std::vector<double> channel_mean_square;  // [channels]
  std::optional<std::int64_t> first_non_finite_sample;

  bool operator==(const TensorStatistics&) const = default;
};

struct Statistics {
  std::int64_t samples = 0;
  std::map<std::string, TensorStatistics> tensors;
  bool operator==(const Statistics&) const = default;
};

struct ObserveOptions {
  // Float tensors to observe: graph inputs, inner tensors and outputs.
  std::vector<std::string> tensors = {};
  int bins = 2048;                           // per side, a power of two
  std::optional<std::int64_t> samples = {};  // the first N; absent: all
  // Bytes of tapped outputs that all workers together may hold at once.
  std::int64_t memory_bytes = std::int64_t{1} << 30;
  CancellationToken token = {};
  LogSink log = {};
};

struct ChannelMoments {
  double mean = 0;
  double mean_square = 0;
  bool operator==(const ChannelMoments&) const = default;
};
/// The smallest and largest finite value of a tensor, and the moments and maximum of each channel.
struct Extremes {
  std::uint64_t count = 0;  // finite values
  float min = 0;
  float max = 0;
  bool channels_last = false;                   // as in TensorStatistics
  std::vector<ChannelMoments> channel_moments;  // [channels]; empty when the axis size varies
  std::vector<float> channel_max;               // [channels]
  bool operator==(const Extremes&) const = default;
};
/// By tensor; contains every tensor in `statistics` that has finite values.
using ExtremesByTensor = std::map<std::string, Extremes>;
[[nodiscard]] ExtremesByTensor extremes_of(const Statistics& statistics);

/// True when the channels of the tensor lie on the last axis, which is so when a MatMul reads it as
/// its left input; else they lie on axis 1.
[[nodiscard]] bool has_channels_last(const Graph& graph, const GraphIndex& index,
                                     std::string_view tensor);

/// Runs the float model over the data on ONNX Runtime. The tensors are tapped in as few groups as
/// the memory allows (their sizes follow from the shape of the first sample). The result is the
/// same to the last bit for any thread count. NaN and infinity in inner tensors are counted; throws
/// InvalidInput naming tensor and sample when a graph input contains them.
[[nodiscard]] Statistics observe(const Model& model, const DataSource& data, ThreadPool& pool,
                                 const ObserveOptions& options);

/// Adds the values of one tensor to its statistics one sample after another, as observe() does, for
/// data that are already in memory. Throws InvalidInput unless the number of bins is a power of two
/// from 16 to 32768.
class TensorObserver {
 public:
  explicit TensorObserver(int bins = 2048, bool channels_last = false);
  ~TensorObserver();
  TensorObserver(TensorObserver&&) noexcept;
  TensorObserver& operator=(TensorObserver&&) noexcept;
  /// Adds values of sample `sample`. The values of one sample may come in several tensors with the
  /// same number of channels.
  void add(std::int64_t sample, const Tensor& values);
  /// Adds the statistics of another observer, which has seen other samples. Commutative and
  /// associative to the last bit.
  void merge(const TensorObserver& other);
  [[nodiscard]] TensorStatistics statistics() const;
  [[nodiscard]] std::optional<std::int64_t> first_non_finite_sample() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Properties of a tensor because of which it should not be quantized: it has no values, it has
/// values that fit no range, it has values so large that the others would get no steps, or a
/// logarithm needs its small values.
struct TensorFacts {
  bool is_empty = false;  // no sample gave it a value
  std::uint64_t nan_count = 0;
  std::uint64_t infinite_count = 0;
  /// The value that stands for minus infinity in the input of a Softmax: -10000, -3.4e38, ...
  std::optional<float> mask = {};
  /// Set when a Log is computed from the tensor. It is the median magnitude, relative to the
  /// largest, that explains the distribution of the values that the Log reads.
  std::optional<double> median_for_log = {};
  bool operator==(const TensorFacts&) const = default;
  /// True when no Q/DQ pair may quantize the tensor, whatever its type.
  [[nodiscard]] bool has_no_range() const {
    return is_empty || nan_count + infinite_count > 0 || mask;
  }
};
/// By tensor; tensors without such properties are absent.
using Facts = std::map<std::string, TensorFacts>;
/// Masks are recognized by their distribution (docs/quantization.md, "Masks") and then followed
/// through the operators that combine or move them, as long as the results still contain them. The
/// input of a Log is followed back to the tensors that it is computed from ("Logarithms" there).
[[nodiscard]] Facts facts_of(const Statistics& statistics, const Graph& graph);

enum class RangeMethod {
  min_max,
  percentile,
  entropy,
  layer_wise_percentile,
  min_mse,  // float scale, symmetric or asymmetric
  power_of_two_non_overflow,
  power_of_two_min_mse,
};
/// Returns Quark's name: "MinMax", "Percentile", "Entropy", "LayerWisePercentile",
/// "CalibrationMethod.MinMSE" (float scale), "PowerOfTwoMethod.NonOverflow",
/// "PowerOfTwoMethod.MinMSE".
[[nodiscard]] std::string to_string(RangeMethod method);
/// True when the method yields power-of-two scales.
[[nodiscard]] bool is_power_of_two(RangeMethod method);

/// True when the range depends on the type, symmetry and width of the integers that it is used for.
[[nodiscard]] bool reads_integer_type(RangeMethod method);

enum class PercentileMetric { mae, mse };

/// The intended use of one tensor's range, where it differs from that of the other tensors.
struct TensorRangeOptions {
  std::optional<DataType> type = {};
  std::optional<bool> symmetric_quantization = {};
  std::optional<bool> reduce_range = {};
  std::string statistics_of = {};  // the tensor whose values it holds; empty: its own
  bool operator==(const TensorRangeOptions&) const = default;
};

struct RangeOptions {
  RangeMethod method = RangeMethod::min_max;
  // Makes the range itself symmetric before scales are computed (CalibTensorRangeSymmetric);
  // absent: the method's default (true for percentile and layer-wise percentile,
  // symmetric_quantization for power-of-two methods).
  std::optional<bool> symmetric_range = {};
  bool moving_average = false;            // min_max only
  double moving_average_constant = 0.01;  // in (0, 1]
  double percentile = 99.999;             // in (0, 100]
  // For layer_wise_percentile; 100 is always added.
  std::vector<double> percentile_candidates = {99.99, 99.999, 99.99999};
  PercentileMetric percentile_metric = PercentileMetric::mae;
  // For entropy; absent: the number of levels that `type` has for magnitudes.
  std::optional<int> quantized_bins = {};
  // The intended use of the range, which methods that minimize an error need.
  DataType type = DataType::int8;  // int8, uint8, int16, uint16
  bool symmetric_quantization = true;
  bool reduce_range = false;
  /// By tensor. Methods for which reads_integer_type() is false ignore the entries. A tensor
  /// without statistics gets no range.
  std::map<std::string, TensorRangeOptions> tensors = {};
  bool operator==(const RangeOptions&) const = default;
};

struct Range {
  double low = 0;
  double high = 0;
  bool operator==(const Range&) const = default;
};
using Ranges = std::map<std::string, Range>;

/// The range of every tensor in `statistics` and in options.tensors that has finite values, without
/// inference. Throws InvalidInput for options out of bounds and for combinations without a meaning.
[[nodiscard]] Ranges choose_ranges(const Statistics& statistics, const RangeOptions& options,
                                   ThreadPool& pool);
[[nodiscard]] Range choose_range(const TensorStatistics& statistics, const RangeOptions& options);

/// Integer limits of a type. Symmetric int8 is [-127, 127], asymmetric int8 [-128, 127];
/// reduce_range halves the limits. uint8 is [0, 255] with either symmetry.
struct IntegerLimits {
  std::int64_t low = 0;
  std::int64_t high = 0;
  bool operator==(const IntegerLimits&) const = default;
};
/// Throws Unsupported for a type that is not int4, uint4, int8, uint8, int16, uint16 or int32.
[[nodiscard]] IntegerLimits integer_limits(DataType type, bool symmetric,
                                           bool reduce_range = false);

struct ScaleZeroPoint {
  float scale = 1;
  std::int64_t zero_point = 0;
  bool operator==(const ScaleZeroPoint&) const = default;
};
enum class PowerOfTwoRounding {
  none,
  nearest,      // 2^-n
  up,           // 2^-n, never clips
  int16_ratio,  // M / 2^n with a positive 16-bit M and n >= 0: within 2^-15 of the scale
};
/// Scale and zero point of a range, computed in double. The range is extended to contain 0 and, for
/// `symmetric`, made symmetric around 0. The zero point is rounded half to even; a scale below the
/// smallest normal float becomes 1 with zero point 0. Symmetric unsigned types get zero point 128
/// (32768) instead of 127.5 rounded down. Throws Unsupported for int16_ratio when the scale is
/// above 32767, InvalidInput when the range is NaN.
[[nodiscard]] ScaleZeroPoint scale_for(const Range& range, DataType type, bool symmetric,
                                       bool reduce_range = false,
                                       PowerOfTwoRounding rounding = PowerOfTwoRounding::none);

}  // namespace quantsearch
