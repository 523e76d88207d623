#pragma once

// Quantizes a float model with given ranges into a Q/DQ model that ONNX Runtime's CPU provider
// turns into integer kernels wherever it can. Placement follows measured rules (docs/placement.md):
// one pair per tensor, shared parameters across data-movement operators, activation functions
// folded into their producer's range.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/thread_pool.h"
#include "quantsearch/calibrate.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// The processors on which the written model must compute correctly (docs/targets.md).
enum class Target {
  cpu,       // every processor that ONNX Runtime's CPU provider runs on, x86 without VNNI included
  cpu_vnni,  // products of uint8 and int8 are added in 32 bits
  npu_cnn,   // NPUs that compute with power-of-two scales
};

enum class WeightRange {
  min_max,
  // The scale with the least squared error for each tensor or channel; min-max is always among the
  // scales compared.
  mse,
  percentile,  // best of the two-sided percentiles 99.9 … 99.9999 and 100
};

/// The user's settings for one tensor (TensorQuantOverrides of ONNX Runtime and Quark). Absent
/// fields are as for every other tensor. An override of a weight without `axis` makes the weight
/// per-tensor.
struct TensorOverride {
  std::optional<DataType> type = {};  // int8, uint8, int16, uint16; a bias also int32
  std::optional<bool> symmetric = {};
  std::optional<bool> reduce_range = {};
  std::optional<int> axis = {};  // weights and biases: one set of values per channel along it
  struct Values {
    std::optional<ScaleZeroPoint> params = {};  // replace those computed from a range
    std::optional<double> low = {};             // ends of the range
    std::optional<double> high = {};
    bool operator==(const Values&) const = default;
  };
  std::vector<Values> values = {};  // none, one for all channels, or one per channel
  bool operator==(const TensorOverride&) const = default;
};

enum class BiasType {
  int32,  // scale s_in * s_w
  int16,  // that scale times the least power of two with which it fits, which a shift can undo
  like_weight,  // the weight's type with a scale of its own, as NPUs require
};

/// How the constant tables that Gather reads (embeddings) are stored.
enum class TableWeights {
  keep_float,
  per_tensor,  // integers of the weight type with one scale; DequantizeLinear after the Gather
  // As per_tensor, but with one scale per entry of the Gather's axis. A second Gather reads the
  // scales.
  per_row,
};

/// How the weights of LSTM are stored.
enum class RecurrentWeights {
  keep_float,
  dynamic,  // DynamicQuantizeLSTM of ONNX Runtime: 8-bit weights, activations quantized in each run
};

/// How HardSigmoid and HardSwish run on integers.
enum class HardActivations {
  keep_float,
  // HardSigmoid as an integer Add whose result saturates, HardSwish as the product of its input
  // with that. Two integer kernels take the place of two conversions and two float kernels.
  integer,
};

/// Which operators have equal parameters at inputs and output, for accelerators that move, join or
/// average integers without rescaling them. Data movement always has equal parameters.
struct AlignOptions {
  bool concat = false;  // inputs take the output's parameters
  bool pool = false;    // AveragePool, GlobalAveragePool: the output takes the input's parameters
  bool pad = false;     // Pad with values of its own: the input takes the output's parameters
  int max_loops = 5;    // most rounds; they end earlier when nothing changes
  bool operator==(const AlignOptions&) const = default;
};

/// NPUs that compute on fixed-point positions (scale 2^-p): docs/algorithms/npu.md.
struct NpuOptions {
  // Needs power-of-two scales, symmetric types, int8 weights per tensor.
  bool enabled = false;
  bool limitation_check = true;  // false switches off all limits of the shifters below
  bool shift_read = true;
  bool shift_write = true;
  bool shift_cut = true;
  bool shift_bias = true;
  bool hard_sigmoid = true;
  bool shift_swish = true;
  bool operator==(const NpuOptions&) const = default;
};

/// How one node differs from the rest of the model. Its activation type is that of the tensors it
/// reads. Its outputs have the types of their readers, or its own type where no reader is
/// quantized.
struct NodeFormat {
  // Int8, uint8, int16, uint16; absent: as in QuantizeOptions.
  std::optional<DataType> activation = {};
  std::optional<DataType> weight = {};  // the same types; absent: as in QuantizeOptions
  bool keep_float = false;              // stays float, like a node of exclude_nodes
  bool operator==(const NodeFormat&) const = default;
};

struct QuantizeOptions {
  Target target = Target::cpu;
  DataType activation_type = DataType::uint8;  // int8, uint8, int16, uint16
  DataType weight_type = DataType::int8;       // int8, uint8, int16, uint16
  bool activation_symmetric = false;
  bool weight_symmetric = true;
  bool per_channel = false;   // weights
  bool reduce_range = false;  // weights one bit narrower, for processors without VNNI
  bool power_of_two = false;  // scales of activations and weights are 2^-n
  PowerOfTwoRounding power_of_two_rounding = PowerOfTwoRounding::nearest;
  WeightRange weight_range = WeightRange::min_max;
  bool int16_scale = false;   // scales are M / 2^n with a 16-bit M; ignored under power_of_two
  bool quantize_bias = true;  // false: biases stay float
  BiasType bias_type = BiasType::int32;
  TableWeights table_weights = TableWeights::per_tensor;
  RecurrentWeights recurrent_weights = RecurrentWeights::keep_float;
  // Has no effect where scales are restricted (power_of_two, int16_scale) and for NPUs.
  HardActivations hard_activations = HardActivations::integer;
  AlignOptions align = {};
  NpuOptions npu = {};

  std::vector<std::string> op_types = {};        // empty: the default set
  std::vector<std::string> extra_op_types = {};  // added to the default set
  std::vector<std::string> exclude_op_types = {};
  std::vector<std::string> nodes = {};  // empty: all; else only these
  // Names, or regular expressions when they begin with ^.
  std::vector<std::string> exclude_nodes = {};
  // Reachability: every ancestor of `input_tensors` and every descendant of `output_tensors` stays
  // float.
  std::vector<std::string> input_tensors = {};  // names of tensors or nodes
  std::vector<std::string> output_tensors = {};
  struct Subgraph {
    // Node names; nodes on paths from a start to an end, both included.
    std::vector<std::string> starts = {};
    std::vector<std::string> ends = {};
    bool operator==(const Subgraph&) const = default;
  };
  std::vector<Subgraph> exclude_subgraphs = {};
  /// Operator types whose outputs lie in the range of their inputs (Concat, AveragePool, ...). They
  /// take the range of all inputs together instead of the observed one.
  std::vector<std::string> passthrough_op_types = {};
  /// By node_label(). Only for nodes that compute: clamps and data movement take the type of the
  /// tensor that they bound or move, and the Add of a bias takes the type of its MatMul.
  std::map<std::string, NodeFormat> node_formats = {};
  bool matmul_const_b_only = false;  // leave MatMul of two activations float
  /// Results of calibration, which no user sets: nodes that read or write a tensor without a usable
  /// range stay float.
  Facts facts = {};
  /// By tensor: activations, weights, biases, constant operands. The outputs of data movement
  /// follow the override of their input.
  std::map<std::string, TensorOverride> overrides = {};
  bool operator==(const QuantizeOptions&) const = default;
};

/// The result of quantization for one node.
struct LayerRecord {
  std::string node;  // node_label()
  std::string op_type;
  bool quantized = false;
  std::string reason;  // why it stays float or will not run as an integer kernel; "": it does run
  // All that it computes are integers or booleans, such as shapes and indices.
  bool computes_integers = false;
  bool operator==(const LayerRecord&) const = default;
};

struct TensorParams {
  DataType type = DataType::undefined;
  std::vector<float> scales;              // 1, or one per channel
  std::vector<std::int64_t> zero_points;  // one per scale
  int axis = -1;                          // -1: per tensor
  bool operator==(const TensorParams&) const = default;
};

/// Kernels for x86 processors without VNNI multiply uint8 activations by int8 weights two at a time
/// and add the two products in 16 bits with saturation. A layer whose pairs of weights respect
/// these limits gives the same result on every processor (docs/targets.md).
struct PairLimits {
  /// Largest stored uint8 value expected in each input channel (Conv: [in_channels]) or input
  /// element (Gemm, MatMul: [K]).
  std::vector<std::int32_t> input_maxima;
  bool operator==(const PairLimits&) const = default;
};
/// Two weights of one output channel whose products such a kernel adds in 16 bits. Positions count
/// the weights of the output channel in the order of the initializer: (input channel, kernel) for
/// Conv, K for Gemm and MatMul.
struct WeightPair {
  std::int32_t first = 0;
  std::int32_t second = 0;
  std::int32_t first_maximum = 0;  // largest stored uint8 value that the first weight multiplies
  std::int32_t second_maximum = 0;
  bool operator==(const WeightPair&) const = default;
  /// True when the sum of the two products fits into 16 bits for all stored values up to the
  /// maxima.
  [[nodiscard]] bool is_safe(std::int64_t first_weight, std::int64_t second_weight) const {
    // One product alone is at most 255 * 128 in magnitude, which fits into 16 bits.
    if ((first_weight < 0) != (second_weight < 0)) return true;
    const std::int64_t sum = first_maximum * first_weight + second_maximum * second_weight;
    return sum >= -32768 && sum <= 32767;
  }
};
/// The pairs that the output channels of each group have: [groups][pairs]. `node` is a Conv, Gemm
/// or MatMul whose weight has the shape `weight`.
[[nodiscard]] std::vector<std::vector<WeightPair>> weight_pairs(const Node& node,
                                                                const Shape& weight,
                                                                const PairLimits& limits);

/// The initializers of the written graph that hold a quantized constant.
struct StoredIntegers {
  std::string integers;
  std::string scale;
  std::string zero_point;
  bool operator==(const StoredIntegers&) const = default;
};

/// How a later step may change the scales of a stored weight.
enum class ScaleFreedom {
  any,
  powers_of_two,  // they may be multiplied by powers of two
  // They are given by the user, stored in the model, or of a form that a factor would break.
  none,
};

/// A Conv, ConvTranspose, Gemm or MatMul of the main graph whose weight is stored as integers, with
/// everything that a step needs which changes the integers later.
struct QuantizedLayer {
  std::string label;   // node_label() in the float model
  int node = 0;        // index in the written graph
  std::string weight;  // initializer of the float model
  StoredIntegers stored_weight;
  IntegerLimits weight_limits;  // the integers are in [low, high]
  ScaleFreedom weight_scales = ScaleFreedom::any;
  /// Present when the weights were chosen so that no kernel saturates; their pairs must stay safe.
  std::optional<PairLimits> pair_limits;
  std::string bias;  // initializer of the float model; "": none
  /// Integers of the bias. Absent: `float_bias` is its initializer in the written graph.
  std::optional<StoredIntegers> stored_bias;
  std::string float_bias;
  /// Scale of the input. Present when the scale of the integer bias is the product of input scale
  /// and weight scale, as integer kernels need it. Absent: the bias has a scale of its own.
  std::optional<float> bias_input_scale;
  std::string output;  // tensor of the float model: the result with the bias, before an activation
};

struct QuantizedModel {
  Model model;
  std::vector<LayerRecord> layers;              // one per node of the float model, in its order
  std::map<std::string, TensorParams> tensors;  // by name in the float model
  /// The further pairs of tensors that are read in several types; `tensors` has the widest type.
  std::map<std::string, std::vector<TensorParams>> narrower;
  std::vector<QuantizedLayer> linear_layers = {};  // in the order of the nodes
};

/// Tensors that get a pair under some options of `quantize` and that `observe` should record. The
/// result does not depend on the options, so that one observation serves them all.
[[nodiscard]] std::vector<std::string> tensors_to_observe(const Model& model);

/// The tensor whose statistics give `tensor` its range, usually `tensor` itself. Absent when the
/// range needs no observation.
[[nodiscard]] std::optional<std::string> observed_source(const Model& model,
                                                         const std::string& tensor);

/// Quantizes `model`, which is simplified and has inferred shapes. `ranges` serve every activation
/// type. Throws InvalidInput for unknown names in the exclusion lists (the nearest known name is
/// shown), for formats of nodes that cannot have one and for a missing range; throws Unsupported
/// for types. A model with nothing to quantize stays as it is; call require_quantizable() first
/// where a user must be told.
[[nodiscard]] QuantizedModel quantize(const Model& model, const Ranges& ranges,
                                      const QuantizeOptions& options, ThreadPool& pool);

/// Ranges chosen for each activation type in use: a range that suits 8 bits may clip values that 16
/// bits could hold.
using RangesByType = std::map<DataType, Ranges>;
/// The results of calibration for the tensors of a model. `quantize` has no other information about
/// the data.
struct CalibrationResult {
  RangesByType ranges;
  ExtremesByTensor extremes = {};  // a tensor that is absent may hold any value of its type
};
/// As above; also throws InvalidInput for a type in use that has no ranges.
[[nodiscard]] QuantizedModel quantize(const Model& model, const CalibrationResult& calibration,
                                      const QuantizeOptions& options, ThreadPool& pool);
/// The activation types used by `options`, in ascending order.
[[nodiscard]] std::vector<DataType> activation_types(const QuantizeOptions& options);

/// A quantized node that can have a format of its own.
struct FormatTarget {
  int node = 0;             // index in the graph
  bool has_weight = false;  // it has a constant weight and so can have a weight type
};
[[nodiscard]] std::vector<FormatTarget> format_targets(const Model& model,
                                                       const QuantizeOptions& options);

/// For each node, whether `quantize` would quantize it and why not. Needs no ranges and therefore
/// does not know the nodes that stay float because of them.
[[nodiscard]] std::vector<LayerRecord> plan_layers(const Model& model,
                                                   const QuantizeOptions& options);

/// Throws InvalidInput, with the reason for each operator type, when `quantize` would find nothing
/// to quantize.
void require_quantizable(const Model& model, const QuantizeOptions& options);

/// The operator types that are quantized when op_types is empty.
[[nodiscard]] std::vector<std::string> default_op_types();

/// The kind of a node that `exclude_op_types` may also name: "Conv/depthwise", "Conv/pointwise"
/// (one weight for each pair of channels), "Conv/spatial" (other Convs), "MatMul/constant" (a
/// weight), "MatMul/dynamic"; for other nodes their operator type. `index`: of the node's graph.
[[nodiscard]] std::string operator_pattern(const GraphIndex& index, const Node& node);

/// How many operators of a written Q/DQ model ONNX Runtime runs as integer kernels and how many it
/// runs in float.
struct KernelReport {
  int integer_kernels = 0;  // QLinear*, QGemm, MatMulInteger*, data movement on integers
  int float_compute = 0;    // Conv, Gemm, MatMul, … in float
  std::map<std::string, int> operators;  // nodes by operator type
};
/// `optimized` is the result of optimized_model() in quantsearch/runtime.h.
[[nodiscard]] KernelReport report_kernels(const Model& optimized);

struct QuantizedTensor {
  Tensor integers;
  TensorParams params;
};
struct WeightOptions {
  DataType type = DataType::int8;
  bool symmetric = true;
  bool reduce_range = false;
  bool power_of_two = false;
  PowerOfTwoRounding power_of_two_rounding = PowerOfTwoRounding::nearest;
  bool int16_scale = false;
  WeightRange range = WeightRange::min_max;
  int axis = -1;  // -1: per tensor
};
/// How scales are rounded to powers of two or 16-bit fractions under these options.
[[nodiscard]] PowerOfTwoRounding scale_rounding(const WeightOptions& options);
[[nodiscard]] PowerOfTwoRounding scale_rounding(const QuantizeOptions& options);
/// Quantizes a float32 tensor: q = clip(rne(x / s) + z), where rne rounds to nearest even.
[[nodiscard]] QuantizedTensor quantize_weight(const Tensor& weight, const WeightOptions& options);
/// x = (q - z) * s in float32.
[[nodiscard]] Tensor dequantize(const QuantizedTensor& tensor);

}  // namespace quantsearch
