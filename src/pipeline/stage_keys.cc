#include "pipeline/stage_keys.h"

#include <concepts>

#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

namespace {

// Raised when a stage changes what it makes from the same input. 2: an If with a constant condition
// becomes its branch; 3: Pad of all axes; 4: layers in other spellings; 5: folding constants adds
// at most 64 KiB
constexpr int kSimplifyVersion = 5;
constexpr int kEqualizeVersion = 1;
constexpr int kAbsorbVersion = 1;
constexpr int kSmoothVersion = 1;
// 3: tensors of bodies, and what layers read; 4: tensors without a possible pair are left out;
// 5: parts of what a Concat has joined; 6: what a Log reads
constexpr int kObserveVersion = 6;
constexpr int kRangesVersion = 1;
constexpr int kFactsVersion = 2;  // 2: what a Log is computed from
// 2: safe pairs under the target cpu, bodies of If, Loop and Scan; 3: facts, closest powers of two;
// 4: what another quantizer has given pairs stays as it is; 5: unlike parts do not share a step; 6:
// tables of integers, stored weights; 7: what a Log needs
constexpr int kQuantizeVersion = 7;
constexpr int kFinetuneVersion = 4;  // 4: pairs of weights stay safe, products are exact
constexpr int kPrecisionVersion = 2;
// 2: rel_l2 pools its energies over the samples; 3: worst_slice; 4: outputs that no quantizer
// changes take no part
constexpr int kEvaluateVersion = 4;

void add(KeyBuilder& key, const std::vector<std::string>& names) {
  key.add(static_cast<std::int64_t>(names.size()));
  for (const std::string& name : names) key.add(name);
}

template <std::integral Number>
void add(KeyBuilder& key, const std::optional<Number>& number) {
  key.add(number.has_value()).add(static_cast<std::int64_t>(number.value_or(0)));
}

void add(KeyBuilder& key, const std::optional<DataType>& type) {
  key.add(static_cast<int>(type.value_or(DataType::undefined)));
}

void add(KeyBuilder& key, const std::optional<double>& number) {
  key.add(number.has_value()).add(number.value_or(0));
}

void add(KeyBuilder& key, const std::map<std::string, TensorRangeOptions>& tensors) {
  key.add(static_cast<std::int64_t>(tensors.size()));
  for (const auto& [tensor, options] : tensors) {
    key.add(tensor);  // statistics_of follows from it and the simplified model
    add(key, options.type);
    add(key, options.symmetric_quantization);
    add(key, options.reduce_range);
  }
}

void add(KeyBuilder& key, const std::map<std::string, TensorOverride>& overrides) {
  key.add(static_cast<std::int64_t>(overrides.size()));
  for (const auto& [tensor, wanted] : overrides) {
    key.add(tensor);
    add(key, wanted.type);
    add(key, wanted.symmetric);
    add(key, wanted.reduce_range);
    key.add(wanted.axis.value_or(-1)).add(static_cast<std::int64_t>(wanted.values.size()));
    for (const TensorOverride::Values& values : wanted.values) {
      const ScaleZeroPoint params = values.params.value_or(ScaleZeroPoint{});
      key.add(values.params.has_value())
          .add(static_cast<double>(params.scale))
          .add(params.zero_point);
      add(key, values.low);
      add(key, values.high);
    }
  }
}

void add(KeyBuilder& key, const NodeFormat& format) {
  add(key, format.activation);
  add(key, format.weight);
  key.add(format.keep_float);
}

void add(KeyBuilder& key, const std::map<std::string, NodeFormat>& formats) {
  key.add(static_cast<std::int64_t>(formats.size()));
  for (const auto& [node, format] : formats) {
    key.add(node);
    add(key, format);
  }
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
  KeyBuilder key;
  key.add("simplify").add(kSimplifyVersion).add(model);
  key.add(options.fold_constants).add(options.fold_batch_norm).add(options.fp16_to_fp32);
  key.add(options.reduce_mean_to_global_pool).add(options.div_to_mul).add(options.minimum_opset);
  add(key, options.opset);
  const DpuOptions& dpu = options.dpu;
  key.add(dpu.leaky_relu).add(dpu.sigmoid_to_hard_sigmoid).add(dpu.hard_sigmoid);
  key.add(dpu.average_pool).add(dpu.reduce_mean).add(dpu.clip);
  add(key, std::vector<std::string>(options.disabled.begin(), options.disabled.end()));
  return key.finish();
}

Key equalize_key(const Key& simplified, const EqualizeOptions& options) {
  KeyBuilder key;
  key.add("equalize").add(kEqualizeVersion).add(simplified);
  key.add(options.steps.has_value()).add(options.steps.value_or(0));
  key.add(options.use_threshold).add(options.use_threshold ? options.weight_threshold : 0.0);
  key.add(options.append_bias).add(options.replace_clip6);
  key.add(options.steps == 1 ? 0.0 : options.total_difference);
  return key.finish();
}

Key observe_biases_key(const Key& equalized, const Key& data, const QuantizationConfig& config) {
  KeyBuilder key;
  return key.add("observe_biases").add(observe_key(equalized, data, config)).finish();
}

Key absorb_key(const Key& equalized, const Key& statistics, BiasAbsorption absorption) {
  KeyBuilder key;
  key.add("absorb")
      .add(kAbsorbVersion)
      .add(equalized)
      .add(statistics)
      .add(static_cast<int>(absorption));
  return key.finish();
}

Key smooth_key(const Key& equalized, const Key& statistics, const SmoothOptions& options) {
  KeyBuilder key;
  key.add("smooth").add(kSmoothVersion).add(equalized).add(statistics);
  key.add(options.alpha.has_value()).add(options.alpha.value_or(0));
  key.add(!options.alpha && options.per_channel_weights);  // only the choice of alpha looks at it
  return key.finish();
}

Key observe_key(const Key& prepared, const Key& data, const QuantizationConfig& config) {
  KeyBuilder key;
  key.add("observe").add(kObserveVersion).add(prepared).add(data).add(config.histogram_bins);
  add(key, config.calibration_samples);
  return key.finish();
}

Key digest_key(const Key& statistics) {
  return KeyBuilder().add("digest").add(kFactsVersion).add(statistics).finish();
}

Key ranges_key(const Key& statistics, const RangeOptions& options) {
  const RangeOptions effective = effective_range_options(options);
  KeyBuilder key;
  key.add("ranges").add(kRangesVersion).add(statistics).add(static_cast<int>(effective.method));
  key.add(effective.symmetric_range.has_value()).add(effective.symmetric_range.value_or(false));
  key.add(effective.moving_average)
      .add(effective.moving_average_constant)
      .add(effective.percentile);
  key.add(static_cast<std::int64_t>(effective.percentile_candidates.size()));
  for (const double candidate : effective.percentile_candidates) key.add(candidate);
  key.add(static_cast<int>(effective.percentile_metric));
  add(key, effective.quantized_bins);
  key.add(static_cast<int>(effective.type))
      .add(effective.symmetric_quantization)
      .add(effective.reduce_range);
  add(key, effective.tensors);
  return key.finish();
}

// Not in it: options.facts, which follow from the statistics behind `ranges`.
Key quantize_key(const Key& prepared, const std::vector<Key>& ranges,
                 const QuantizeOptions& options) {
  KeyBuilder key;
  key.add("quantize").add(kQuantizeVersion).add(prepared);
  for (const Key& of_type : ranges) key.add(of_type);
  key.add(static_cast<int>(options.target));
  key.add(static_cast<int>(options.activation_type)).add(static_cast<int>(options.weight_type));
  key.add(options.activation_symmetric).add(options.weight_symmetric).add(options.per_channel);
  key.add(options.reduce_range)
      .add(options.power_of_two)
      .add(static_cast<int>(options.power_of_two_rounding));
  key.add(static_cast<int>(options.weight_range))
      .add(options.quantize_bias)
      .add(options.matmul_const_b_only);
  key.add(static_cast<int>(options.table_weights)).add(static_cast<int>(options.recurrent_weights));
  key.add(options.int16_scale).add(static_cast<int>(options.bias_type));
  add(key, options.passthrough_op_types);
  const AlignOptions& align = options.align;
  key.add(align.concat).add(align.pool).add(align.pad).add(align.max_loops);
  const NpuOptions& npu = options.npu;
  key.add(npu.enabled).add(npu.limitation_check).add(npu.shift_read).add(npu.shift_write);
  key.add(npu.shift_cut).add(npu.shift_bias).add(npu.hard_sigmoid).add(npu.shift_swish);
  for (const auto* names :
       {&options.op_types, &options.extra_op_types, &options.exclude_op_types, &options.nodes,
        &options.exclude_nodes, &options.input_tensors, &options.output_tensors}) {
    add(key, *names);
  }
  key.add(static_cast<std::int64_t>(options.exclude_subgraphs.size()));
  for (const QuantizeOptions::Subgraph& subgraph : options.exclude_subgraphs) {
    add(key, subgraph.starts);
    add(key, subgraph.ends);
  }
  add(key, options.overrides);
  add(key, options.node_formats);
  return key.finish();
}

Key precision_key(const Key& quantized, const Key& data, const PrecisionOptions& options) {
  KeyBuilder key;
  key.add("precision").add(kPrecisionVersion).add(quantized).add(data);
  add(key, options.low);
  key.add(static_cast<std::int64_t>(options.high.size()));
  for (const NodeFormat& format : options.high) add(key, format);
  for (const auto* names : {&options.op_types, &options.include_layers, &options.exclude_layers})
    add(key, *names);
  key.add(static_cast<std::int64_t>(options.thresholds.size()));
  for (const auto& [metric, threshold] : options.thresholds)
    key.add(static_cast<int>(metric)).add(threshold);
  for (const auto& limit :
       {options.changed_classes, options.changed_rare_classes, options.max_high_share})
    add(key, limit);
  for (const auto& limit :
       {options.max_high_layers, options.min_low_layers, options.max_bytes, options.output})
    add(key, limit);
  key.add(static_cast<int>(options.goal)).add(options.samples).add(options.probe_samples);
  key.add(options.weights_reconstructed);
  return key.finish();
}

Key finish_precision_key(const Key& precision, const Key& data, const FinetuneOptions& options) {
  return KeyBuilder().add("finish_precision").add(finetune_key(precision, data, options)).finish();
}

Key mixed_key(const Key& precision, const Model& quantized) {
  return KeyBuilder().add("mixed").add(precision).add(content_key(quantized)).finish();
}

Key activations_key(const Key& prepared, const Key& data, const std::vector<std::string>& tensors,
                    std::int64_t samples) {
  KeyBuilder key;
  key.add("activations").add(prepared).add(data).add(samples);
  add(key, tensors);
  return key.finish();
}

Key finetune_key(const Key& quantized, const Key& data, const FinetuneOptions& options) {
  KeyBuilder key;
  key.add("finetune").add(kFinetuneVersion).add(quantized).add(data);
  key.add(static_cast<int>(options.algorithm)).add(static_cast<int>(options.objective));
  add(key, options.samples);
  key.add(options.iterations).add(options.learning_rate).add(options.batch_size);
  key.add(static_cast<std::int64_t>(options.seed));
  key.add(options.early_stop).add(options.early_stop_window);
  const LearningRateAdjustment adjustment =
      options.learning_rate_adjustment.value_or(LearningRateAdjustment{});
  key.add(options.learning_rate_adjustment.has_value())
      .add(adjustment.error)
      .add(adjustment.learning_rate);
  add(key, options.op_types);
  key.add(options.selective_update).add(options.update_bias).add(options.output_quantizer);
  key.add(options.drop_ratio)
      .add(options.regularization)
      .add(options.beta_start)
      .add(options.beta_end);
  key.add(options.warm_start)
      .add(options.bias_correction)
      .add(options.beam)
      .add(options.choose_scales);
  return key.finish();
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
  KeyBuilder key;
  key.add("evaluate")
      .add(kEvaluateVersion)
      .add(model)
      .add(reference.data().content_key())
      .add(reference.batch());
  key.add(reference.logits_output()).add(reference.labels().has_value());
  for (const std::int64_t label : reference.labels().value_or(Labels{})) key.add(label);
  key.add(static_cast<std::int64_t>(options.metrics.size()));
  for (const Metric metric : options.metrics) key.add(static_cast<int>(metric));
  key.add(static_cast<std::int64_t>(options.output_weights.size()));
  for (const auto& [output, weight] : options.output_weights) key.add(output).add(weight);
  key.add(options.latency).add(options.latency_threads).add(options.exact_products);
  key.add(options.losses_of ? static_cast<int>(*options.losses_of) : -1);
  return key.finish();
}

std::vector<Key> stage_keys(const Key& model, const Key& data, const QuantizationConfig& config) {
  std::vector<Key> keys = {simplify_key(model, config.simplify)};
  if (config.equalize) keys.push_back(equalize_key(keys.back(), *config.equalize));
  if (config.equalize && config.equalize->bias_absorption != BiasAbsorption::none) {
    const Key equalized = keys.back();
    keys.push_back(observe_biases_key(equalized, data, config));
    keys.push_back(absorb_key(equalized, keys.back(), config.equalize->bias_absorption));
  }
  if (config.smooth) {
    const Key equalized = keys.back();
    keys.push_back(observe_key(equalized, data, config));
    keys.push_back(smooth_key(equalized, keys.back(), *config.smooth));
  }
  const Key prepared = keys.back();
  keys.push_back(observe_key(prepared, data, config));
  const std::vector<Key> ranges = ranges_keys(keys.back(), config);
  keys.insert(keys.end(), ranges.begin(), ranges.end());
  keys.push_back(quantize_key(prepared, ranges, config.quantize));
  if (config.precision) {
    keys.push_back(precision_key(keys.back(), data, *config.precision));
    if (config.precision->weights_reconstructed)
      keys.push_back(finish_precision_key(keys.back(), data, *config.finetune));
  }
  if (config.finetune) keys.push_back(finetune_key(keys.back(), data, *config.finetune));
  return keys;
}

}  // namespace quantsearch
