#include "pipeline/stage_keys.h"

#include "pipeline/key_fields.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

namespace {

// A version is raised when a stage produces a different result from the same input. 2: an If with a
// constant condition is replaced by its branch; 3: Pad of all axes; 4: layers in other spellings;
// 5: folding constants adds at most 64 KiB; 6: HardSwish in parts is gathered; 7: functions of the
// model are written out.
constexpr int kSimplifyVersion = 7;
constexpr int kEqualizeVersion = 1;
constexpr int kAbsorbVersion = 1;
constexpr int kSmoothVersion = 1;
// 3: tensors of bodies, and the inputs of layers; 4: tensors without a possible pair are left out;
// 5: parts of the output of a Concat; 6: the input of a Log.
constexpr int kObserveVersion = 6;
constexpr int kRangesVersion = 1;
constexpr int kFactsVersion = 2;  // 2: the inputs that a Log is computed from
// 2: safe pairs under the target cpu, bodies of If, Loop and Scan; 3: facts, closest powers of two;
// 4: tensors that another quantizer has given pairs stay unchanged; 5: parts of different magnitude
// do not share a step; 6: integer tables, stored weights; 7: the precision that a Log needs;
// 8: only rows that safe pairs change take up the mean; 9: the integer form of HardSwish;
// 10: a Mul by unlike constants in front of an output stays float; 11: channels of few values leave
// more room for larger ones.
constexpr int kQuantizeVersion = 11;
// 4: pairs of weights stay safe, products are exact; 5: limits and scales of overrides are kept;
// 6: fewer columns for layers with few inputs; 7: sums in another order.
constexpr int kFinetuneVersion = 7;
constexpr int kPrecisionVersion = 3;  // 3: promotions are taken back as their noise predicts
// 2: rel_l2 pools its energies over the samples; 3: worst_slice; 4: outputs that no quantizer
// changes are left out.
constexpr int kEvaluateVersion = 4;

// These functions reset the fields that a stage does not read, so that equal work has equal keys.

EqualizeOptions effective_equalize_options(const EqualizeOptions& options) {
  EqualizeOptions effective = options;
  const EqualizeOptions defaults;
  effective.bias_absorption = defaults.bias_absorption;  // read by the absorb stage
  if (!options.use_threshold) effective.weight_threshold = defaults.weight_threshold;
  if (options.steps == 1) effective.total_difference = defaults.total_difference;
  return effective;
}

SmoothOptions effective_smooth_options(const SmoothOptions& options) {
  SmoothOptions effective = options;
  if (options.alpha) effective.per_channel_weights = false;  // only the choice of alpha reads it
  return effective;
}

}  // namespace

RangeOptions effective_range_options(const RangeOptions& options) {
  RangeOptions effective = options;
  const RangeOptions defaults;
  if (options.method != RangeMethod::min_max) effective.moving_average = false;
  if (!effective.moving_average)
    effective.moving_average_constant = defaults.moving_average_constant;
  if (options.method != RangeMethod::percentile) effective.percentile = defaults.percentile;
  if (options.method != RangeMethod::layer_wise_percentile) {
    effective.percentile_candidates = defaults.percentile_candidates;
    effective.percentile_metric = defaults.percentile_metric;
  }
  if (options.method != RangeMethod::entropy) effective.quantized_bins = defaults.quantized_bins;
  if (!reads_integer_type(options.method)) {
    effective.tensors.clear();
    effective.type = defaults.type;
    effective.symmetric_quantization = defaults.symmetric_quantization;
    effective.reduce_range = defaults.reduce_range;
  }
  return effective;
}

Key simplify_key(const Key& model, const SimplifyOptions& options) {
  return stage_key("simplify", kSimplifyVersion, model, options);
}

Key equalize_key(const Key& simplified, const EqualizeOptions& options) {
  return stage_key("equalize", kEqualizeVersion, simplified, effective_equalize_options(options));
}

Key observe_biases_key(const Key& equalized, const Key& data, const QuantizationConfig& config) {
  return stage_key("observe_biases", kObserveVersion, observe_key(equalized, data, config));
}

Key absorb_key(const Key& equalized, const Key& statistics, BiasAbsorption absorption) {
  return stage_key("absorb", kAbsorbVersion, equalized, statistics, absorption);
}

Key smooth_key(const Key& equalized, const Key& statistics, const SmoothOptions& options) {
  return stage_key("smooth", kSmoothVersion, equalized, statistics,
                   effective_smooth_options(options));
}

Key observe_key(const Key& prepared, const Key& data, const QuantizationConfig& config) {
  return stage_key("observe", kObserveVersion, prepared, data, config.histogram_bins,
                   config.calibration_samples);
}

Key digest_key(const Key& statistics) { return stage_key("digest", kFactsVersion, statistics); }

Key ranges_key(const Key& statistics, const RangeOptions& options) {
  RangeOptions effective = effective_range_options(options);
  // `statistics_of` is determined by the tensor and the simplified model.
  for (auto& [tensor, own] : effective.tensors) own.statistics_of.clear();
  return stage_key("ranges", kRangesVersion, statistics, effective);
}

Key quantize_key(const Key& prepared, const std::vector<Key>& ranges,
                 const QuantizeOptions& options) {
  return stage_key("quantize", kQuantizeVersion, prepared, ranges, options);
}

Key precision_key(const Key& quantized, const Key& data, const PrecisionOptions& options) {
  return stage_key("precision", kPrecisionVersion, quantized, data, options);
}

Key finish_precision_key(const Key& precision, const Key& data, const FinetuneOptions& options) {
  return stage_key("finish_precision", kPrecisionVersion, finetune_key(precision, data, options));
}

Key mixed_key(const Key& precision, const Model& quantized) {
  return stage_key("mixed", kPrecisionVersion, precision, content_key(quantized));
}

Key activations_key(const Key& prepared, const Key& data, const std::vector<std::string>& tensors,
                    std::int64_t samples) {
  return stage_key("activations", kFinetuneVersion, prepared, data, samples, tensors);
}

Key finetune_key(const Key& quantized, const Key& data, const FinetuneOptions& options) {
  return stage_key("finetune", kFinetuneVersion, quantized, data, options);
}

std::map<DataType, RangeOptions> ranges_by_type(const QuantizationConfig& config) {
  std::map<DataType, RangeOptions> by_type;
  std::vector<DataType> types = activation_types(config.quantize);
  if (config.precision) {
    std::vector<NodeFormat> formats = config.precision->high;
    formats.push_back(config.precision->low);
    for (const NodeFormat& format : formats) {
      if (format.activation) types.push_back(*format.activation);
    }
  }
  for (const DataType type : types) {
    by_type[type] = config.ranges;
    by_type[type].type = type;
  }
  return by_type;
}

std::vector<Key> ranges_keys(const Key& statistics, const QuantizationConfig& config) {
  std::vector<Key> keys;
  for (const auto& [type, options] : ranges_by_type(config))
    keys.push_back(ranges_key(statistics, options));
  return keys;
}

Key evaluate_key(const Key& model, const Reference& reference, const EvaluateOptions& options) {
  const Key task = reference.task() != nullptr ? reference.task()->key() : Key{};
  return stage_key("evaluate", kEvaluateVersion, model, reference.data().content_key(), task,
                   reference.batch(), to_string(reference.device()), reference.logits_output(),
                   reference.labels(), options.metrics, options.output_weights, options.latency,
                   options.exact_products, options.losses_of);
}

}  // namespace quantsearch
