#include "quantsearch/precision/sensitivity.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "precision/kept_prefix.h"
#include "precision/noise_sources.h"
#include "precision/trials.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

// The table must not depend on the processor that makes it.
constexpr bool kGraphArithmetic = true;

template <typename Row>
bool is_worse(const Row& a, const Row& b) {
  if (a.added_noise != b.added_noise) return a.added_noise > b.added_noise;
  return a.removed_noise > b.removed_noise;
}

void add(PatternSensitivity& sum, const LayerSensitivity& layer) {
  ++sum.layers;
  sum.added_noise += layer.added_noise;
  sum.removed_noise += layer.removed_noise;
  sum.bytes_saved += layer.bytes_saved;
  if (layer.milliseconds_saved)
    sum.milliseconds_saved = sum.milliseconds_saved.value_or(0) + *layer.milliseconds_saved;
}

class Measurement {
 public:
  Measurement(const Model& model, const CalibrationResult& calibration,
              const QuantizeOptions& quantization, const std::shared_ptr<const DataSource>& data,
              const SensitivityOptions& options, const PrecisionContext& context)
      : model_(model),
        calibration_(calibration),
        quantization_(quantization),
        options_(options),
        context_(context),
        quantized_(made(quantization)),
        sources_(find_noise_sources(model, quantization, quantized_, options.op_types)),
        reference_(model, first_samples(data, options.samples), std::nullopt, context.pool,
                   context.budget,
                   {.batch = 0,
                    .spill_folder = context.spill_folder,
                    .logits_output = {},
                    .token = context.token,
                    .log = context.log}) {}

  SensitivityReport run() {
    if (sources_.empty()) {
      throw InvalidInput(
          "sensitivity: the configuration quantizes no layer of the model, expected at least one; "
          "look at what is in the way with the command 'inspect'");
    }
    measure_alone();
    measure_left_float();
    return report();
  }

 private:
  [[nodiscard]] QuantizedModel made(const QuantizeOptions& quantization) const {
    return quantize(model_, calibration_, quantization, context_.pool);
  }

  /// Each source alone is quantized. What comes before it is the float model.
  void measure_alone() {
    const auto prefix = kept(model_);
    added_ = of_all_sources(prefix.get(), [&](std::size_t source) {
      return quantizing_only(quantization_, sources_, source);
    });
  }

  /// Each source alone is float. What comes before it is the quantized model.
  void measure_left_float() {
    const auto prefix = kept(quantized_.model);
    quantized_noise_ = noise_of(quantized_.model, prefix.get());
    const std::vector<double> left = of_all_sources(prefix.get(), [&](std::size_t source) {
      return leaving_float(quantization_, sources_[source]);
    });
    for (const double noise : left) removed_.push_back(quantized_noise_ - noise);
  }

  [[nodiscard]] std::unique_ptr<KeptPrefix> kept(const Model& base) {
    if (options_.whole_models) return nullptr;
    auto prefix = std::make_unique<KeptPrefix>(base, reference_,
                                               KeptPrefix::Options{
                                                   .op_types = options_.op_types,
                                                   .exact_products = kGraphArithmetic,
                                                   .limit_bytes = options_.kept_bytes,
                                               },
                                               context_);
    if (prefix->kept_tensors() > 0) nodes_run_ += node_count(base);
    kept_bytes_ = std::max(kept_bytes_, prefix->kept_bytes() + prefix->spilled_bytes());
    return prefix;
  }

  template <typename OptionsOf>
  [[nodiscard]] std::vector<double> of_all_sources(const KeptPrefix* prefix,
                                                   const OptionsOf& options_of) {
    std::vector<double> noise(sources_.size());
    context_.pool.parallel_for(
        static_cast<std::int64_t>(sources_.size()),
        [&](std::int64_t at, int) {
          const auto source = static_cast<std::size_t>(at);
          noise[source] = noise_of(made(options_of(source)).model, prefix);
        },
        context_.token);
    return noise;
  }

  /// rel_l2 of the outputs. `prefix` may be null.
  [[nodiscard]] double noise_of(const Model& candidate, const KeptPrefix* prefix) {
    context_.token.throw_if_cancelled();
    const std::optional<ModelPart> part =
        prefix == nullptr ? std::nullopt : prefix->part_of(candidate);
    const Model& run = part ? part->model : candidate;
    ++models_;
    nodes_run_ += node_count(run);
    nodes_of_models_ += node_count(candidate);
    const Scores scores = evaluate(run, reference_, context_.pool,
                                   {.metrics = {Metric::rel_l2},
                                    .inputs = part ? part->inputs : nullptr,
                                    .exact_products = kGraphArithmetic,
                                    .token = context_.token});
    return scores.metrics.at(metric_info(Metric::rel_l2).name);
  }

  [[nodiscard]] static std::int64_t node_count(const Model& model) {
    return static_cast<std::int64_t>(model.graph.nodes.size());
  }

  [[nodiscard]] SensitivityReport report() const {
    SensitivityReport result;
    for (std::size_t source = 0; source < sources_.size(); ++source)
      result.layers.push_back(row_of(source));
    std::ranges::stable_sort(result.layers, is_worse<LayerSensitivity>);
    result.patterns = patterns_of(result.layers);
    result.quantized_noise = quantized_noise_;
    result.samples = reference_.data().size();
    result.models = models_;
    result.share_run = static_cast<double>(nodes_run_) / static_cast<double>(nodes_of_models_);
    result.kept_bytes = kept_bytes_;
    return result;
  }

  [[nodiscard]] LayerSensitivity row_of(std::size_t at) const {
    const NoiseSource& source = sources_[at];
    LayerSensitivity row{.node = source.layer.members[0].label,
                         .op_type = source.layer.op_type,
                         .pattern = source.pattern,
                         .members = {},
                         .added_noise = added_[at],
                         .removed_noise = removed_[at],
                         .bytes_saved = source.bytes_saved,
                         .wide_formats = wide_formats(source, quantization_)};
    for (const Member& member : source.layer.members) row.members.push_back(member.label);
    return row;
  }

  const Model& model_;
  const CalibrationResult& calibration_;
  const QuantizeOptions& quantization_;
  const SensitivityOptions& options_;
  const PrecisionContext& context_;
  QuantizedModel quantized_;  // every source
  std::vector<NoiseSource> sources_;
  Reference reference_;
  std::vector<double> added_;    // by source
  std::vector<double> removed_;  // by source
  double quantized_noise_ = 0;
  std::int64_t kept_bytes_ = 0;
  std::atomic<int> models_ = 0;
  std::atomic<std::int64_t> nodes_run_ = 0;
  std::atomic<std::int64_t> nodes_of_models_ = 0;
};

}  // namespace

SensitivityReport measure_sensitivity(const Model& model, const CalibrationResult& calibration,
                                      const QuantizeOptions& quantization,
                                      const std::shared_ptr<const DataSource>& data,
                                      const SensitivityOptions& options,
                                      const PrecisionContext& context) {
  if (data == nullptr)
    throw InvalidInput("sensitivity: got no calibration data, expected at least one sample");
  if (options.samples < 1) {
    throw InvalidInput(fmt::format("sensitivity: the number of samples is {}, expected at least 1",
                                   options.samples));
  }
  return Measurement(model, calibration, quantization, data, options, context).run();
}

PatternSensitivity sum_of(const std::vector<LayerSensitivity>& layers, std::size_t first) {
  PatternSensitivity sum;
  for (std::size_t at = first; at < layers.size(); ++at) add(sum, layers[at]);
  return sum;
}

std::vector<PatternSensitivity> patterns_of(const std::vector<LayerSensitivity>& layers) {
  std::vector<PatternSensitivity> patterns;
  for (const LayerSensitivity& layer : layers) {
    auto found = std::ranges::find(patterns, layer.pattern, &PatternSensitivity::pattern);
    if (found == patterns.end()) {
      patterns.push_back({.pattern = layer.pattern});
      found = patterns.end() - 1;
    }
    add(*found, layer);
  }
  std::ranges::stable_sort(patterns, is_worse<PatternSensitivity>);
  return patterns;
}

std::size_t worst_layers(const SensitivityReport& report, std::size_t most) {
  double total = 0;
  for (const LayerSensitivity& layer : report.layers) total += layer.added_noise;
  double sum = 0;
  std::size_t count = 0;
  while (count < std::min(most, report.layers.size()) && sum < total / 2)
    sum += report.layers[count++].added_noise;
  return count;
}

}  // namespace quantsearch
