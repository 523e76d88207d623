#pragma once

// Mixed precision chooses the layers that need more than the low format so that the model stays
// within given limits, and as few of them as possible. Sensitivities are estimated in one pass and
// confirmed by runs of real models. Every decision is verified on a written model in ONNX Runtime.
// See docs/algorithms/mixed_precision.md.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/data.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/model.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

enum class PrecisionGoal {
  fewest_high_layers,  // the fewest layers above the low format with which the limits hold
  best_in_budget,      // the least noise that the limits on layers and size allow
};

struct PrecisionOptions {
  /// Format of layers for which it is sufficient. A default-constructed format is that of
  /// QuantizeOptions.
  NodeFormat low = {};
  /// Formats of the other layers, the cheapest first and the most precise last.
  std::vector<NodeFormat> high = {};
  /// Operator types that begin a layer. Other operators belong to the layer whose output they read.
  std::vector<std::string> op_types = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
  std::vector<std::string> include_layers = {};  // nodes that begin a layer; empty: all
  std::vector<std::string> exclude_layers = {};

  // Limits. At least one must be given, and all that are given must hold.
  std::map<Metric, double> thresholds = {};  // worst allowed value
  // Share of positions whose best class (last axis) differs from the float model's.
  std::optional<double> changed_classes = {};
  /// The same share among positions whose class is not the float model's most frequent one. A model
  /// that always predicts that class (the blank of a text recognizer) has few changed classes, but
  /// has changed all of these.
  std::optional<double> changed_rare_classes = {};
  std::optional<std::int64_t> max_high_layers = {};
  std::optional<double> max_high_share = {};  // of the layers
  std::optional<std::int64_t> min_low_layers = {};
  std::optional<std::int64_t> max_bytes = {};  // of the written model

  PrecisionGoal goal = PrecisionGoal::fewest_high_layers;
  std::optional<std::int64_t> output =
      {};                          // index of the only output that is compared; absent: all
  std::int64_t samples = 64;       // the first samples, on which models are evaluated
  std::int64_t probe_samples = 8;  // the first samples, for the sensitivity of layers
  /// The weights will be reconstructed after the choice of formats (finish_precision). Models are
  /// therefore evaluated with 16-bit weights instead of narrower ones, whose noise will change.
  bool weights_reconstructed = false;
  bool operator==(const PrecisionOptions&) const = default;
};

struct LayerPrecision {
  std::string node;  // node_label() of the node that begins the layer
  std::string op_type;
  // All nodes of the layer that have a format of their own, including the first.
  std::vector<std::string> members = {};
  NodeFormat format = {};  // the chosen one; {} is that of QuantizeOptions
  bool is_high = false;
  /// Noise energy divided by signal energy, summed over the inputs of the layer and its weights,
  /// for `low` and then for each of `high`.
  std::vector<double> estimates = {};
  /// rel_l2 of the outputs that the layer's low format adds when every other layer has the most
  /// precise format.
  double sensitivity = 0;
  std::string reason = {};  // why it has its format
  bool operator==(const LayerPrecision&) const = default;
};

struct PrecisionResult {
  QuantizedModel quantized;
  // QuantizeOptions::node_formats that reproduce this model.
  std::map<std::string, NodeFormat> node_formats = {};
  std::vector<LayerPrecision> layers = {};  // in the order of the graph
  int high_layers = 0;
  int evaluations = 0;                        // models that were run
  std::map<std::string, double> scores = {};  // of the chosen model on `samples` samples
};

struct PrecisionContext {
  ThreadPool& pool;
  const ByteBudget& budget;
  std::filesystem::path spill_folder = {};
  CancellationToken token = {};
  LogSink log = {};
};

/// Chooses the format of each layer. `model` is simplified; `calibration` has ranges for every
/// activation type in `low` and `high`. The result is the same for any thread count. Throws
/// InvalidInput when there is no limit or no format above `low`, for unknown layers, and for limits
/// that cannot be met, with the values that were reached.
[[nodiscard]] PrecisionResult choose_precision(const Model& model,
                                               const CalibrationResult& calibration,
                                               const QuantizeOptions& quantization,
                                               const std::shared_ptr<const DataSource>& data,
                                               const PrecisionOptions& options,
                                               const PrecisionContext& context);

/// The step after the choice of formats, such as the reconstruction of the weights.
using FinishModel = std::function<std::shared_ptr<const QuantizedModel>(const QuantizedModel&)>;

/// Verifies the limits on the finished model. If one is missed, layers get more precise formats,
/// the most sensitive first; bisection over that order finds how many. `chosen` is the result of
/// choose_precision() for the same arguments with weights_reconstructed. In the result, `quantized`
/// is not finished, but the scores are those of the finished model. Throws InvalidInput for limits
/// that cannot be met.
[[nodiscard]] PrecisionResult finish_precision(
    const Model& model, const CalibrationResult& calibration, const QuantizeOptions& quantization,
    std::shared_ptr<const DataSource> data, const PrecisionOptions& options, PrecisionResult chosen,
    const FinishModel& finish, const PrecisionContext& context);

}  // namespace quantsearch
