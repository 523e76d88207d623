#pragma once

// Mixed precision: which layers need more than the low format so that the model stays within given
// limits, and no more layers than needed. Sensitivities come from one pass and are confirmed by
// runs of real models; every decision is verified on a written model on ONNX Runtime.
// docs/algorithms/mixed_precision.md.

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
  fewest_high_layers,  // such that the limits hold
  best_in_budget,      // the least noise that the limits on layers and size allow
};

struct PrecisionOptions {
  /// Of layers that can do with it. A default-constructed format is the one of QuantizeOptions.
  NodeFormat low = {};
  /// Of layers that cannot: cheapest first, the most precise last.
  std::vector<NodeFormat> high = {};
  /// Operators that begin a layer. Others belong to the layer whose output they read.
  std::vector<std::string> op_types = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
  std::vector<std::string> include_layers = {};  // nodes that begin a layer; empty: all
  std::vector<std::string> exclude_layers = {};

  // Limits; all that are given hold together, at least one is.
  std::map<Metric, double> thresholds = {};  // worst value allowed
  // Share of best classes (last axis) that differ from the float model's.
  std::optional<double> changed_classes = {};
  /// The same among positions whose class is not the float model's most frequent one: a model that
  /// answers with that class alone (the blank of a text recognizer) has few changed classes, but
  /// all of these.
  std::optional<double> changed_rare_classes = {};
  std::optional<std::int64_t> max_high_layers = {};
  std::optional<double> max_high_share = {};  // of the layers
  std::optional<std::int64_t> min_low_layers = {};
  std::optional<std::int64_t> max_bytes = {};  // of the written model

  PrecisionGoal goal = PrecisionGoal::fewest_high_layers;
  std::optional<std::int64_t> output = {};  // index of the one that counts; absent: all
  std::int64_t samples = 64;                // that judge a model: the first ones
  std::int64_t probe_samples = 8;           // that confirm the sensitivity of a layer
  /// The weights will be reconstructed once the formats are chosen (finish_precision): models are
  /// judged with 16-bit weights in place of narrower ones, whose noise is not the one that remains.
  bool weights_reconstructed = false;
  bool operator==(const PrecisionOptions&) const = default;
};

struct LayerPrecision {
  std::string node;  // node_label() of the node that begins the layer
  std::string op_type;
  // All nodes with a format of their own, the first included.
  std::vector<std::string> members = {};
  NodeFormat format = {};  // chosen; {} is that of QuantizeOptions
  bool is_high = false;
  /// Noise energy over signal energy of what the layer reads and of its weights, with `low`, then
  /// each of `high`.
  std::vector<double> estimates = {};
  /// rel_l2 of the outputs that the layer's low format adds when every other layer is as precise as
  /// it can be.
  double sensitivity = 0;
  std::string reason = {};  // why it has its format
  bool operator==(const LayerPrecision&) const = default;
};

struct PrecisionResult {
  QuantizedModel quantized;
  // QuantizeOptions::node_formats that give this model again.
  std::map<std::string, NodeFormat> node_formats = {};
  std::vector<LayerPrecision> layers = {};  // in the order of the graph
  int high_layers = 0;
  int evaluations = 0;                        // models that were run
  std::map<std::string, double> scores = {};  // of the chosen model on the judging samples
};

struct PrecisionContext {
  ThreadPool& pool;
  const ByteBudget& budget;
  std::filesystem::path spill_folder = {};
  CancellationToken token = {};
  LogSink log = {};
};

/// `model` is simplified; `calibration` holds ranges for every activation type that `low` and
/// `high` name. The same result for any thread count. Throws InvalidInput for no limit, unknown
/// layers, no format above `low`, and limits that cannot be met, with what was reached.
[[nodiscard]] PrecisionResult choose_precision(const Model& model,
                                               const CalibrationResult& calibration,
                                               const QuantizeOptions& quantization,
                                               std::shared_ptr<const DataSource> data,
                                               const PrecisionOptions& options,
                                               const PrecisionContext& context);

/// What is done to a model once its formats are chosen, such as the reconstruction of its weights.
using FinishModel = std::function<std::shared_ptr<const QuantizedModel>(const QuantizedModel&)>;

/// Verifies the limits on the finished model. Where one is missed, layers get more precise formats,
/// the most sensitive first, as few as bisection over that order finds. `chosen` is of the same
/// arguments with weights_reconstructed; so is the result, whose `quantized` is not finished, and
/// whose scores are those of the finished model. Throws InvalidInput for limits that cannot be met.
[[nodiscard]] PrecisionResult finish_precision(
    const Model& model, const CalibrationResult& calibration, const QuantizeOptions& quantization,
    std::shared_ptr<const DataSource> data, const PrecisionOptions& options, PrecisionResult chosen,
    const FinishModel& finish, const PrecisionContext& context);

}  // namespace quantsearch
