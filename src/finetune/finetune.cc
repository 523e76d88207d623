#include "quantsearch/finetune.h"

#include <fmt/core.h>

#include <algorithm>

#include "finetune/float_values.h"
#include "finetune/layers.h"
#include "finetune/network.h"
#include "finetune/output_distance.h"
#include "finetune/solve.h"
#include "finetune/write_back.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/stopwatch.h"

namespace quantsearch {

namespace reconstruction {

namespace {

void require(bool holds, std::string_view option, const std::string& got,
             std::string_view expected) {
  if (holds) return;
  throw InvalidInput(
      fmt::format("finetune: option '{}' is {}, expected {}", option, got, expected));
}

void require_options(const FinetuneOptions& options, std::int64_t samples) {
  require(options.samples.value_or(1) >= 1, "DataSize", std::to_string(options.samples.value_or(1)),
          "at least 1");
  require(options.iterations >= 1, "NumIterations", std::to_string(options.iterations),
          "at least 1");
  require(options.learning_rate > 0, "LearningRate", to_json(Value(options.learning_rate)),
          "a positive number");
  require(options.batch_size >= 1 && options.batch_size <= samples, "BatchSize",
          std::to_string(options.batch_size),
          fmt::format("1 to the number of samples, {}", samples));
  require(options.drop_ratio >= 0 && options.drop_ratio <= 1, "DropRatio",
          to_json(Value(options.drop_ratio)), "a number in [0, 1]");
  require(options.warm_start >= 0 && options.warm_start < 1, "WarmStart",
          to_json(Value(options.warm_start)), "a number in [0, 1)");
  require(options.beam >= 1, "beam", std::to_string(options.beam), "at least 1");
}

/// Both networks and the state of the reconstruction.
class Reconstruction {
 public:
  Reconstruction(const QuantizedModel& candidate, const Model& reference, const DataSource& data,
                 const FinetuneOptions& options, const FinetuneEnvironment& environment)
      : options_(options),
        environment_(environment),
        samples_(std::min(options.samples.value_or(data.size()), data.size())),
        folder_(environment.cache_folder),
        found_(find_layers(candidate, reference, options.op_types)),
        kept_(environment.budget.free() / 2),
        reservation_(environment.budget.try_reserve(kept_.limit())),
        quantized_(candidate.model, data, samples_, environment, kept_, folder_),
        float_(reference, data, samples_, wanted_of_all(), environment, kept_, folder_),
        result_{.quantized = candidate, .layers = {}} {
    for (int layer = 0; layer < static_cast<int>(found_.layers.size()); ++layer)
      waiting_.insert(layer);
    LayerData::reserve(held_);
    if (!options.selective_update) return;
    outputs_.emplace(reference, data, samples_, environment, kept_, folder_);
    distance_ = outputs_->of(quantized_);
  }

  FinetunedModel run() {
    while (!waiting_.empty()) run_front();
    result_.layers.insert(result_.layers.end(), found_.skipped.begin(), found_.skipped.end());
    result_.quantized.model = quantized_.model();
    return std::move(result_);
  }

 private:
  [[nodiscard]] const TunableLayer& layer(int index) const {
    return found_.layers[static_cast<std::size_t>(index)];
  }

  /// Adds the tensors of the float model that the layer's data need.
  void add_wanted(const TunableLayer& of, std::set<std::string>& wanted) const {
    wanted.insert(of.stored.output);
    if (options_.drop_ratio < 1) wanted.insert(of.float_input);
  }

  [[nodiscard]] std::set<std::string> wanted_of_all() const {
    std::set<std::string> wanted;
    for (const TunableLayer& of : found_.layers) add_wanted(of, wanted);
    return wanted;
  }

  /// Tunes the layers whose inputs depend on no untuned layer.
  void run_front() {
    std::set<int> held_quantized;
    for (const int index : waiting_) held_quantized.insert(layer(index).stored.node);
    quantized_.advance(held_quantized, {});
    std::vector<int> front;
    std::ranges::copy_if(waiting_, std::back_inserter(front),
                         [&](int index) { return quantized_.has(layer(index).input); });
    if (front.empty()) throw InternalError("finetune: no layer is next, the graphs do not match");
    for (const int index : front) waiting_.erase(index);
    std::set<int> held_float;
    for (const int index : waiting_) held_float.insert(layer(index).float_node);
    std::set<std::string> wanted;
    for (const int index : front) add_wanted(layer(index), wanted);
    float_.advance(held_float, wanted);
    for (const int index : front) tune(layer(index));
  }

  void tune(const TunableLayer& tuned) {
    const Stopwatch watch;
    const Solution before = stored_solution(tuned, quantized_.model());
    const LayerWeights weights = layer_weights(tuned, quantized_.model());
    LayerData data(tuned, quantized_, float_,
                   {.samples = samples_,
                    .drop_ratio = options_.drop_ratio,
                    .cache_bytes = environment_.budget.free() / 2},
                   held_);
    if (data.is_empty()) {
      result_.layers.push_back({.node = tuned.stored.label,
                                .op_type = tuned.op_type,
                                .reason = "it had no values to work on in the data"});
      return;
    }
    const Judged judged = solve(
        {.weights = weights, .stored = before, .described = tuned, .quantized = quantized_.model()},
        data, options_, environment_);
    LayerReconstruction record;
    record.node = tuned.stored.label;
    record.op_type = tuned.op_type;
    record.error_before = judged.error_before;
    record.error_after = judged.error_before;
    if (!(judged.error_after < judged.error_before)) {
      record.reason = "nothing better was found";
    } else if (!keep(tuned, judged.solution)) {
      record.reason = "the model's outputs came no closer to the float ones";
    } else {
      record.tuned = true;
      record.error_after = judged.error_after;
    }
    record.seconds = watch.seconds();
    say(environment_.log, LogLevel::detail,
        fmt::format("finetune: {}: relative error {:.3g} became {:.3g}", record.node,
                    record.error_before, record.error_after));
    result_.layers.push_back(std::move(record));
  }

  /// Writes the solution. Under SelectiveUpdate it is undone unless the outputs of the whole model
  /// come closer to the float ones; returns false then.
  bool keep(const TunableLayer& tuned, const Solution& solution) {
    const StoredTensors before = stored_tensors(tuned, quantized_.model());
    const auto tensors = result_.quantized.tensors;
    write_solution(tuned, solution, quantized_, result_.quantized.tensors);
    if (!outputs_) return true;
    const double distance = outputs_->of(quantized_);
    if (distance < distance_) {
      distance_ = distance;
      return true;
    }
    for (const auto& [name, tensor] : before) quantized_.replace_initializer(name, tensor);
    result_.quantized.tensors = tensors;
    return false;
  }

  const FinetuneOptions& options_;
  const FinetuneEnvironment& environment_;
  std::int64_t samples_;
  SpillFolder folder_;
  FoundLayers found_;
  // For tensors between pieces: half of the free bytes. The runtime and the solvers need the rest.
  ByteBudget kept_;
  ByteBudget::Reservation reservation_;
  Network quantized_;
  FloatValues float_;
  Columns held_;  // buffer that all layers use
  FinetunedModel result_;
  std::set<int> waiting_;
  std::optional<OutputDistance> outputs_;  // present under SelectiveUpdate
  double distance_ = 0;                    // of the current model
};

}  // namespace

}  // namespace reconstruction

std::string to_string(FinetuneAlgorithm algorithm) {
  switch (algorithm) {
    case FinetuneAlgorithm::none:
      return "none";
    case FinetuneAlgorithm::adaround:
      return "adaround";
    case FinetuneAlgorithm::adaquant:
      return "adaquant";
    case FinetuneAlgorithm::gptq:
      return "gptq";
  }
  return "";
}

FinetunedModel finetune(const QuantizedModel& candidate, const Model& reference,
                        const DataSource& data, const FinetuneOptions& options,
                        const FinetuneEnvironment& environment) {
  reconstruction::require_options(options,
                                  std::min(options.samples.value_or(data.size()), data.size()));
  return reconstruction::Reconstruction(candidate, reference, data, options, environment).run();
}

}  // namespace quantsearch
