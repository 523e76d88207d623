#pragma once

// Layer-wise reconstruction: after quantization, the integer weights (and bias) of each layer are
// chosen again so that the layer's output, for the actual outputs of the quantized layers before
// it, is as close as possible to the float layer's output. The model is processed in one streaming
// pass: the float and the quantized network advance together, each node runs once per sample, and
// only the tensors between finished and unfinished nodes are kept. docs/algorithms/ has a page per
// method.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

enum class FinetuneAlgorithm {
  none,      // weights stay unchanged; only bias correction
  adaround,  // Nagel et al. 2020: learned rounding, up or down
  adaquant,  // Hubara et al. 2020: weights trained through straight-through rounding
  // Nearest plane on the refit target (Frantar et al. 2023, Chen et al. 2025), in closed form.
  gptq,
};
[[nodiscard]] std::string to_string(FinetuneAlgorithm algorithm);

/// The objective of the gradient methods: the error on minibatches of samples, or the same
/// quadratic computed from second moments.
enum class FinetuneObjective { sampled, second_moment };

/// LRAdjust: a layer whose relative error before tuning is above `error` has the learning rate
/// `learning_rate`.
struct LearningRateAdjustment {
  double error = 0;
  double learning_rate = 0;
  bool operator==(const LearningRateAdjustment&) const = default;
};

struct FinetuneOptions {
  FinetuneAlgorithm algorithm = FinetuneAlgorithm::adaround;
  FinetuneObjective objective = FinetuneObjective::sampled;
  std::optional<std::int64_t> samples = {};  // DataSize: the first N; absent: all
  std::int64_t iterations = 1000;            // per layer
  double learning_rate = 0.1;                // Adam
  std::int64_t batch_size = 1;               // samples per step
  std::uint64_t seed = 1705472343;
  bool early_stop = false;
  // NumBatches: steps between two checks of the error; 1: a tenth of the iterations.
  std::int64_t early_stop_window = 1;
  std::optional<LearningRateAdjustment> learning_rate_adjustment = {};
  std::vector<std::string> op_types = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
  // Keeps a layer's update only if the model's outputs come closer to the float ones.
  bool selective_update = false;
  bool update_bias = false;       // adaquant: the bias is also trained
  bool output_quantizer = false;  // OutputQDQ: the layer's output quantizer is part of the loss
  double drop_ratio = 1;         // share of the input elements that are quantized; others are float
  double regularization = 0.01;  // adaround
  double beta_start = 20;        // adaround
  double beta_end = 2;
  double warm_start = 0.2;       // adaround: share of iterations without regularization
  bool bias_correction = false;  // closed form, from the same moments, after the algorithm
  int beam = 1;                  // gptq: partial solutions kept per row; 1: plain nearest plane
  bool choose_scales = true;     // gptq: scales of weights are chosen with the solver in the loop
  bool operator==(const FinetuneOptions&) const = default;
};

/// The result of the reconstruction of one layer. An error is the energy of the difference from the
/// float output divided by the energy of that output. It is measured after the activation function
/// when the method includes it, and before it when the method uses second moments only.
struct LayerReconstruction {
  std::string node;
  std::string op_type;
  bool tuned = false;  // the model has new weights or a new bias
  std::string reason;  // why it was not tuned; "" when tuned
  double error_before = 0;
  double error_after = 0;  // of the weights in the model
  double seconds = 0;
};

struct FinetunedModel {
  QuantizedModel quantized;
  // In the order of their reconstruction; skipped layers come last.
  std::vector<LayerReconstruction> layers;
};

/// Tensors of the float model for the first samples of the data, by sample. `samples` is empty when
/// the tensors have more than 128 MiB in all; they are then computed piece by piece.
struct FloatActivations {
  std::vector<Batch> samples;
};
[[nodiscard]] std::int64_t bytes_of(const FloatActivations& activations);

struct FinetuneEnvironment {
  ThreadPool& pool;
  ByteBudget budget;                   // activations that do not fit are stored in the cache folder
  std::filesystem::path cache_folder;  // "": the system's folder for temporary files
  CancellationToken token = {};
  LogSink log = {};
  /// Returns the result of float_activations() for these tensors and samples, which may be shared
  /// by several reconstructions from the same float model and data. Empty: they are computed here.
  std::function<std::shared_ptr<const FloatActivations>(const std::vector<std::string>& tensors,
                                                        std::int64_t samples)>
      activations = {};
};

/// Runs `reference` on the first `samples` samples. `tensors` are outputs of its nodes. Throws
/// Cancelled and the errors of the runtime.
[[nodiscard]] FloatActivations float_activations(const Model& reference, const DataSource& data,
                                                 const std::vector<std::string>& tensors,
                                                 std::int64_t samples,
                                                 const FinetuneEnvironment& environment);

/// Reconstructs the layers of `candidate`, which `quantize` made from `reference`. The result has
/// the same bytes for any thread count. Throws InvalidInput for options out of their bounds,
/// Cancelled, and the errors of the runtime.
[[nodiscard]] FinetunedModel finetune(const QuantizedModel& candidate, const Model& reference,
                                      const DataSource& data, const FinetuneOptions& options,
                                      const FinetuneEnvironment& environment);

}  // namespace quantsearch
