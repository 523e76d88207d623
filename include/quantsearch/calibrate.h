#pragma once

// One pass over the data gives statistics from which every range method, symmetry and bit width
// follows without further inference. docs/quantization.md derives the formulas.

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

/// Of one tensor over all samples.
struct TensorStatistics {
  std::uint64_t count = 0;  // finite values
  std::uint64_t nan_count = 0;
  std::uint64_t infinite_count = 0;
  float min = 0;  // of the finite values; 0, 0 when there are none
  float max = 0;
  double sum = 0;
  double sum_of_squares = 0;
  // [samples with finite values], in sample order, for moving averages.
  std::vector<float> sample_min;
  std::vector<float> sample_max;
  Histogram histogram;
  // Per channel: axis 1, or the last axis with `channels_last`. Empty when the axis size varies.
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
  // Float tensors to observe: graph inputs, inner tensors, outputs.
  std::vector<std::string> tensors = {};
  int bins = 2048;                           // per side, a power of two
  std::optional<std::int64_t> samples = {};  // the first N; absent: all
  // Tapped outputs held at once, all workers together.
  std::int64_t memory_bytes = std::int64_t{1} << 30;
  CancellationToken token = {};
  LogSink log = {};
};

struct ChannelMoments {
  double mean = 0;
  double mean_square = 0;
  bool operator==(const ChannelMoments&) const = default;
};
/// Smallest and largest finite value of a tensor, and what is known of each of its channels.
struct Extremes {
  float min = 0;
  float max = 0;
  bool channels_last = false;                   // as in TensorStatistics
  std::vector<ChannelMoments> channel_moments;  // [channels]; empty when the axis size varies
  std::vector<float> channel_max;               // [channels]
  bool operator==(const Extremes&) const = default;
};
/// Of every tensor in `statistics` with finite values.
using ExtremesByTensor = std::map<std::string, Extremes>;
[[nodiscard]] ExtremesByTensor extremes_of(const Statistics& statistics);

/// Where the channels of a tensor lie: on the last axis when a MatMul reads it as its left side,
/// else on axis 1.
[[nodiscard]] bool has_channels_last(const Graph& graph, const GraphIndex& index,
                                     std::string_view tensor);

/// Runs the float model over the data on ONNX Runtime, tapping the tensors in as few groups as the
/// memory allows (their sizes follow from the first sample's shape). The same bytes for any thread
/// count. Inner tensors may hold NaN and infinity, which are counted; throws InvalidInput naming
/// tensor and sample when a graph input does.
[[nodiscard]] Statistics observe(const Model& model, const DataSource& data, ThreadPool& pool,
                                 const ObserveOptions& options);

/// Streams the values of one tensor into its statistics: what observe does, for data that are
/// already at hand.
class TensorObserver {
 public:
  explicit TensorObserver(int bins = 2048, bool channels_last = false);
  ~TensorObserver();
  TensorObserver(TensorObserver&&) noexcept;
  TensorObserver& operator=(TensorObserver&&) noexcept;
  /// Adds the values of sample `sample`; a tensor may give one sample in several tensors of equal
  /// channel count.
  void add(std::int64_t sample, const Tensor& values);
  /// Adds what another observer has seen (disjoint samples). Commutative and associative to the
  /// last bit.
  void merge(const TensorObserver& other);
  [[nodiscard]] TensorStatistics statistics() const;
  [[nodiscard]] std::optional<std::int64_t> first_non_finite_sample() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What was seen of a tensor that keeps a quantizer off it: no values, values that no range holds,
/// values beside which the others would have no steps left, or small values that a logarithm needs.
struct TensorFacts {
  bool is_empty = false;  // no sample gave it a value
  std::uint64_t nan_count = 0;
  std::uint64_t infinite_count = 0;
  /// The value that stands for minus infinity in what a Softmax reads: -10000, -3.4e38, ...
  std::optional<float> mask = {};
  /// A Log is computed from it. The median magnitude, relative to the largest, that would give what
  /// the Log reads the distribution that it has.
  std::optional<double> median_for_log = {};
  bool operator==(const TensorFacts&) const = default;
  /// No pair may hold it, whatever its type.
  [[nodiscard]] bool has_no_range() const {
    return is_empty || nan_count + infinite_count > 0 || mask;
  }
};
/// By tensor; those of which there is nothing to say are absent.
using Facts = std::map<std::string, TensorFacts>;
/// Masks are recognized by their distribution (docs/quantization.md, "Masks"), then followed
/// through the operators that join or move them, as far as these still hold them. What a Log reads
/// is followed back to what it is computed from ("Logarithms" there).
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
/// Quark's names: "MinMax", "Percentile", "Entropy", "LayerWisePercentile", "MinMSE" (float scale:
/// "CalibrationMethod.MinMSE"), "PowerOfTwoMethod.NonOverflow", "PowerOfTwoMethod.MinMSE". See
/// parse in pipeline.
[[nodiscard]] std::string to_string(RangeMethod method);
/// True when the method yields power-of-two scales.
[[nodiscard]] bool is_power_of_two(RangeMethod method);

/// True when the range depends on the type, symmetry and width of the integers it is for.
[[nodiscard]] bool reads_integer_type(RangeMethod method);

enum class PercentileMetric { mae, mse };

/// What one tensor's range will be used for, where that differs from the other tensors.
struct TensorRangeOptions {
  std::optional<DataType> type = {};
  std::optional<bool> symmetric_quantization = {};
  std::optional<bool> reduce_range = {};
  std::string statistics_of = {};  // the tensor whose values it holds; empty: its own
  bool operator==(const TensorRangeOptions&) const = default;
};

struct RangeOptions {
  RangeMethod method = RangeMethod::min_max;
  // The range itself made symmetric before scales are computed (CalibTensorRangeSymmetric); absent:
  // the method's default (true for percentile and layer-wise percentile, symmetric_quantization for
  // power-of-two methods).
  std::optional<bool> symmetric_range = {};
  bool moving_average = false;            // min_max only
  double moving_average_constant = 0.01;  // in (0, 1]
  double percentile = 99.999;             // in (0, 100]
  // Layer-wise; 100 is always added.
  std::vector<double> percentile_candidates = {99.99, 99.999, 99.99999};
  PercentileMetric percentile_metric = PercentileMetric::mae;
  // Entropy; absent: what `type` leaves for the magnitudes.
  std::optional<int> quantized_bins = {};
  // What the range will be used for: methods that minimise an error need it.
  DataType type = DataType::int8;  // int8, uint8, int16, uint16
  bool symmetric_quantization = true;
  bool reduce_range = false;
  /// By tensor. Methods that read none of it ignore it. Without statistics a tensor is left out.
  std::map<std::string, TensorRangeOptions> tensors = {};
  bool operator==(const RangeOptions&) const = default;
};

struct Range {
  double low = 0;
  double high = 0;
  bool operator==(const Range&) const = default;
};
using Ranges = std::map<std::string, Range>;

/// Range of every tensor in `statistics` and in options.tensors. A tensor without finite values has
/// none. No inference. Throws InvalidInput for options out of their bounds or combinations that
/// have no meaning.
[[nodiscard]] Ranges choose_ranges(const Statistics& statistics, const RangeOptions& options,
                                   ThreadPool& pool);
[[nodiscard]] Range choose_range(const TensorStatistics& statistics, const RangeOptions& options);

/// Integer limits of a type: symmetric int8 is [-127, 127], asymmetric [-128, 127]; reduce_range
/// halves them (quark_behaviour 3.1). Unsigned types keep [0, 255] either way.
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
/// Scale and zero point of a range: 0 always inside; symmetric around 0 when asked; double
/// arithmetic, zero point rounded half to even; a scale below the smallest normal float becomes 1
/// with zero point 0. Symmetric unsigned types get zero point 128 (32768), not 127.5 rounded down.
/// Throws Unsupported for int16_ratio when the scale is above 32767.
[[nodiscard]] ScaleZeroPoint scale_for(const Range& range, DataType type, bool symmetric,
                                       bool reduce_range = false,
                                       PowerOfTwoRounding rounding = PowerOfTwoRounding::none);

}  // namespace quantsearch
