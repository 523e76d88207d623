#pragma once

// Which layers hurt: the noise that the quantization of each layer adds to the outputs, measured on
// models of ONNX Runtime in which one layer differs from all others. A run begins after the last
// tensors that the model has in common with one that was run before, so that a layer costs only
// what comes after it. See docs/algorithms/mixed_precision.md, "Which layers hurt".

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/data.h"
#include "quantsearch/model.h"
#include "quantsearch/precision.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

struct SensitivityOptions {
  /// Operator types that begin a layer, as in PrecisionOptions.
  std::vector<std::string> op_types = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
  std::int64_t samples = 16;  // the first samples, on which all models are run
  /// True: every model is run from its inputs. The noise is the same, and measuring takes longer.
  bool whole_models = false;
  /// Most bytes of inner tensors that are kept, in memory and in a file; 0: as the budget allows.
  std::int64_t kept_bytes = 0;
  bool operator==(const SensitivityOptions&) const = default;
};

struct LayerSensitivity {
  std::string node;  // node_label() of the node that begins the layer
  std::string op_type;
  /// What layers of one kind have in common: "Conv 3x3", "Conv 5x5 depthwise", "MatMul without
  /// weight", "If bodies".
  std::string pattern;
  /// All nodes that stay float when the layer does, including the first.
  std::vector<std::string> members = {};
  /// rel_l2 of the outputs when this layer alone is quantized.
  double added_noise = 0;
  /// rel_l2 that vanishes when this layer alone stays float. It is below 0 where the noise of the
  /// layer compensates for that of others.
  double removed_noise = 0;
  /// Bytes of its float weights minus those of its integer weights. A weight that several layers
  /// read counts for the first.
  std::int64_t bytes_saved = 0;
  /// Time of its operators in the float model minus their time in the quantized one, without
  /// conversions; absent unless it was measured (Pipeline::sensitivity).
  std::optional<double> milliseconds_saved = {};
  /// QuantizeOptions::node_formats that give the layer 16 bits; empty when its nodes cannot have
  /// formats of their own, or have 16 bits already.
  std::map<std::string, NodeFormat> wide_formats = {};
  bool operator==(const LayerSensitivity&) const = default;
};

/// Several layers together, such as those of one pattern.
struct PatternSensitivity {
  std::string pattern;
  int layers = 0;
  double added_noise = 0;
  double removed_noise = 0;
  std::int64_t bytes_saved = 0;
  std::optional<double> milliseconds_saved = {};
  bool operator==(const PatternSensitivity&) const = default;
};

struct SensitivityReport {
  std::vector<LayerSensitivity> layers = {};      // the one that adds the most noise first
  std::vector<PatternSensitivity> patterns = {};  // in the same order
  double quantized_noise = 0;                     // rel_l2 when every layer is quantized
  std::int64_t samples = 0;                       // on which the models were run
  int models = 0;                                 // that were run
  /// Nodes that were run of all nodes of these models, the float model and the quantized one, whose
  /// runs keep the inner tensors, included; 1 when every model is run from its inputs.
  double share_run = 1;
  std::int64_t kept_bytes = 0;  // of inner tensors, in memory and in a file
};

/// Measures every layer of the main graph that `quantization` quantizes; bodies of If, Loop and
/// Scan and quantized LSTMs are layers of their own. `model` is simplified, and `calibration` has
/// ranges for every activation type in use. The noise is the same for any thread count. Throws
/// InvalidInput without data and when no layer is quantized.
[[nodiscard]] SensitivityReport measure_sensitivity(const Model& model,
                                                    const CalibrationResult& calibration,
                                                    const QuantizeOptions& quantization,
                                                    const std::shared_ptr<const DataSource>& data,
                                                    const SensitivityOptions& options,
                                                    const PrecisionContext& context);

/// The sum of the layers from `first` on.
[[nodiscard]] PatternSensitivity sum_of(const std::vector<LayerSensitivity>& layers,
                                        std::size_t first = 0);
/// The layers of each pattern together, the one that adds the most noise first.
[[nodiscard]] std::vector<PatternSensitivity> patterns_of(
    const std::vector<LayerSensitivity>& layers);

/// The worst layers that are shown to a user: the fewest that together add at least half of the
/// noise that all layers add, and at most `most`.
[[nodiscard]] std::size_t worst_layers(const SensitivityReport& report, std::size_t most);

}  // namespace quantsearch
