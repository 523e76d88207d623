#pragma once

// Layer-wise reconstruction: after quantization, each layer's integer weights (and bias) are chosen
// anew so that the layer, fed with what the quantized layers before it really give, comes as close
// as it can to the float layer's output. One streaming pass: the float and the quantized network
// advance in lockstep, each node is run once per sample, and only the tensors between done and
// undone nodes are kept. docs/algorithms/ has a page per method.

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
  none,      // weights stay as they are: bias correction alone
  adaround,  // Nagel et al. 2020: learned rounding, up or down
  adaquant,  // Hubara et al. 2020: weights trained through straight-through rounding
  gptq,  // nearest plane on the refit target (Frantar et al. 2023, Chen et al. 2025): closed form,
         // no iterations
};
[[nodiscard]] std::string to_string(FinetuneAlgorithm algorithm);

/// What the gradient methods minimise: the error on minibatches of samples, or the same quadratic
/// from second moments.
enum class FinetuneObjective { sampled, second_moment };

/// LRAdjust: when a layer's relative error before tuning is above `error`, its learning rate is
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
  std::int64_t batch_size = 1;               // samples a step
  std::uint64_t seed = 1705472343;
  bool early_stop = false;
  // NumBatches: steps between two looks; 1: a tenth of the iterations.
  std::int64_t early_stop_window = 1;
  std::optional<LearningRateAdjustment> learning_rate_adjustment = {};
  std::vector<std::string> op_types = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
  // Keep a layer's update only if the model's outputs come closer to the float ones.
  bool selective_update = false;
  bool update_bias = false;       // adaquant: the bias is trained, too
  bool output_quantizer = false;  // OutputQDQ: the layer's output quantizer is part of the loss
  double drop_ratio = 1;          // share of inputs that are quantized, the rest float, elementwise
  double regularization = 0.01;   // adaround
  double beta_start = 20;         // adaround
  double beta_end = 2;
  double warm_start = 0.2;       // adaround: share of iterations without regularization
  bool bias_correction = false;  // closed form, from the same moments, after the algorithm
  int beam = 1;                  // gptq: partial rows kept, 1: plain nearest plane
  bool choose_scales = true;     // gptq: scales of weights are chosen with the solver in the loop
  bool operator==(const FinetuneOptions&) const = default;
};

/// How the reconstruction of one layer went. Errors are energies of the difference from the float
/// output over the energy of that output: behind the activation where the method looks there, and
/// before it for second moments alone.
struct LayerReconstruction {
  std::string node;
  std::string op_type;
  bool tuned = false;  // new weights or bias are in the model
  std::string reason;  // why not; "" when tuned
  double error_before = 0;
  double error_after = 0;  // of what is in the model
  double seconds = 0;
};

struct FinetunedModel {
  QuantizedModel quantized;
  std::vector<LayerReconstruction>
      layers;  // in the order of their reconstruction; skipped ones last
};

/// Tensors of the float model on the first samples of the data, by sample; no sample when they are
/// too many bytes to be held (128 MiB): they are then computed piece by piece.
struct FloatActivations {
  std::vector<Batch> samples;
};
[[nodiscard]] std::int64_t bytes_of(const FloatActivations& activations);

struct FinetuneEnvironment {
  ThreadPool& pool;
  ByteBudget budget;                   // activations that do not fit go to the cache folder
  std::filesystem::path cache_folder;  // "": the system's folder for temporary files
  CancellationToken token = {};
  LogSink log = {};
  /// What float_activations gives for these tensors and samples, kept for other reconstructions
  /// from the same float model and data. Empty: computed for this one.
  std::function<std::shared_ptr<const FloatActivations>(const std::vector<std::string>& tensors,
                                                        std::int64_t samples)>
      activations = {};
};

/// `tensors` are made by nodes of `reference`. Throws Cancelled and what the runtime throws.
[[nodiscard]] FloatActivations float_activations(const Model& reference, const DataSource& data,
                                                 const std::vector<std::string>& tensors,
                                                 std::int64_t samples,
                                                 const FinetuneEnvironment& environment);

/// `candidate` was made by `quantize` from `reference`. The same bytes for any thread count. Throws
/// InvalidInput for options out of their bounds, and what the runtime throws.
[[nodiscard]] FinetunedModel finetune(const QuantizedModel& candidate, const Model& reference,
                                      const DataSource& data, const FinetuneOptions& options,
                                      const FinetuneEnvironment& environment);

}  // namespace quantsearch
