#pragma once

// The fields of every options struct that a stage reads, for keys and for the test that each of
// them is in a key. The structured bindings name all fields, so that a missing field is a compile
// error.

#include <concepts>
#include <type_traits>

#include "quantsearch/calibrate.h"
#include "quantsearch/equalize.h"
#include "quantsearch/finetune.h"
#include "quantsearch/precision.h"
#include "quantsearch/quantize.h"
#include "quantsearch/transform.h"

namespace quantsearch {

/// True when `Options` is `Wanted` or `const Wanted`.
template <typename Options, typename Wanted>
concept OptionsOf = std::same_as<std::remove_const_t<Options>, Wanted>;

// Each calls visit(name, field) once for each field, in the order of their declaration.

template <OptionsOf<DpuOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [leaky_relu, sigmoid_to_hard_sigmoid, hard_sigmoid, average_pool, reduce_mean, clip] =
      options;
  visit("leaky_relu", leaky_relu);
  visit("sigmoid_to_hard_sigmoid", sigmoid_to_hard_sigmoid);
  visit("hard_sigmoid", hard_sigmoid);
  visit("average_pool", average_pool);
  visit("reduce_mean", reduce_mean);
  visit("clip", clip);
}

template <OptionsOf<SimplifyOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [fold_constants, fold_batch_norm, fp16_to_fp32, reduce_mean_to_global_pool, div_to_mul,
         gather_hard_swish, minimum_opset, opset, disabled, dpu] = options;
  visit("fold_constants", fold_constants);
  visit("fold_batch_norm", fold_batch_norm);
  visit("fp16_to_fp32", fp16_to_fp32);
  visit("reduce_mean_to_global_pool", reduce_mean_to_global_pool);
  visit("div_to_mul", div_to_mul);
  visit("gather_hard_swish", gather_hard_swish);
  visit("minimum_opset", minimum_opset);
  visit("opset", opset);
  visit("disabled", disabled);
  visit("dpu", dpu);
}

template <OptionsOf<EqualizeOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [steps, weight_threshold, use_threshold, append_bias, total_difference, replace_clip6,
         bias_absorption] = options;
  visit("steps", steps);
  visit("weight_threshold", weight_threshold);
  visit("use_threshold", use_threshold);
  visit("append_bias", append_bias);
  visit("total_difference", total_difference);
  visit("replace_clip6", replace_clip6);
  visit("bias_absorption", bias_absorption);
}

template <OptionsOf<SmoothOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [alpha, per_channel_weights] = options;
  visit("alpha", alpha);
  visit("per_channel_weights", per_channel_weights);
}

template <OptionsOf<TensorRangeOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [type, symmetric_quantization, reduce_range, statistics_of] = options;
  visit("type", type);
  visit("symmetric_quantization", symmetric_quantization);
  visit("reduce_range", reduce_range);
  visit("statistics_of", statistics_of);
}

template <OptionsOf<RangeOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [method, symmetric_range, moving_average, moving_average_constant, percentile,
         percentile_candidates, percentile_metric, quantized_bins, type, symmetric_quantization,
         reduce_range, tensors] = options;
  visit("method", method);
  visit("symmetric_range", symmetric_range);
  visit("moving_average", moving_average);
  visit("moving_average_constant", moving_average_constant);
  visit("percentile", percentile);
  visit("percentile_candidates", percentile_candidates);
  visit("percentile_metric", percentile_metric);
  visit("quantized_bins", quantized_bins);
  visit("type", type);
  visit("symmetric_quantization", symmetric_quantization);
  visit("reduce_range", reduce_range);
  visit("tensors", tensors);
}

template <OptionsOf<ScaleZeroPoint> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [scale, zero_point] = options;
  visit("scale", scale);
  visit("zero_point", zero_point);
}

template <OptionsOf<AlignOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [concat, pool, pad, max_loops] = options;
  visit("concat", concat);
  visit("pool", pool);
  visit("pad", pad);
  visit("max_loops", max_loops);
}

template <OptionsOf<NpuOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [enabled, limitation_check, shift_read, shift_write, shift_cut, shift_bias, hard_sigmoid,
         shift_swish] = options;
  visit("enabled", enabled);
  visit("limitation_check", limitation_check);
  visit("shift_read", shift_read);
  visit("shift_write", shift_write);
  visit("shift_cut", shift_cut);
  visit("shift_bias", shift_bias);
  visit("hard_sigmoid", hard_sigmoid);
  visit("shift_swish", shift_swish);
}

template <OptionsOf<NodeFormat> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [activation, weight, keep_float] = options;
  visit("activation", activation);
  visit("weight", weight);
  visit("keep_float", keep_float);
}

template <OptionsOf<TensorOverride> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [type, symmetric, reduce_range, axis, values] = options;
  visit("type", type);
  visit("symmetric", symmetric);
  visit("reduce_range", reduce_range);
  visit("axis", axis);
  visit("values", values);
}

template <OptionsOf<TensorOverride::Values> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [params, low, high] = options;
  visit("params", params);
  visit("low", low);
  visit("high", high);
}

template <OptionsOf<QuantizeOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [target, activation_type, weight_type, activation_symmetric, weight_symmetric, per_channel,
         reduce_range, power_of_two, power_of_two_rounding, weight_range, int16_scale,
         quantize_bias, bias_type, table_weights, recurrent_weights, hard_activations, align, npu,
         op_types, extra_op_types, exclude_op_types, nodes, exclude_nodes, input_tensors,
         output_tensors, exclude_subgraphs, passthrough_op_types, node_formats, matmul_const_b_only,
         facts, overrides] = options;
  visit("target", target);
  visit("activation_type", activation_type);
  visit("weight_type", weight_type);
  visit("activation_symmetric", activation_symmetric);
  visit("weight_symmetric", weight_symmetric);
  visit("per_channel", per_channel);
  visit("reduce_range", reduce_range);
  visit("power_of_two", power_of_two);
  visit("power_of_two_rounding", power_of_two_rounding);
  visit("weight_range", weight_range);
  visit("int16_scale", int16_scale);
  visit("quantize_bias", quantize_bias);
  visit("bias_type", bias_type);
  visit("table_weights", table_weights);
  visit("recurrent_weights", recurrent_weights);
  visit("hard_activations", hard_activations);
  visit("align", align);
  visit("npu", npu);
  visit("op_types", op_types);
  visit("extra_op_types", extra_op_types);
  visit("exclude_op_types", exclude_op_types);
  visit("nodes", nodes);
  visit("exclude_nodes", exclude_nodes);
  visit("input_tensors", input_tensors);
  visit("output_tensors", output_tensors);
  visit("exclude_subgraphs", exclude_subgraphs);
  visit("passthrough_op_types", passthrough_op_types);
  visit("node_formats", node_formats);
  visit("matmul_const_b_only", matmul_const_b_only);
  visit("facts", facts);
  visit("overrides", overrides);
}

template <OptionsOf<QuantizeOptions::Subgraph> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [starts, ends] = options;
  visit("starts", starts);
  visit("ends", ends);
}

template <OptionsOf<PrecisionOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [low, high, op_types, include_layers, exclude_layers, thresholds, changed_classes,
         changed_rare_classes, max_high_layers, max_high_share, min_low_layers, max_bytes, goal,
         output, samples, probe_samples, weights_reconstructed] = options;
  visit("low", low);
  visit("high", high);
  visit("op_types", op_types);
  visit("include_layers", include_layers);
  visit("exclude_layers", exclude_layers);
  visit("thresholds", thresholds);
  visit("changed_classes", changed_classes);
  visit("changed_rare_classes", changed_rare_classes);
  visit("max_high_layers", max_high_layers);
  visit("max_high_share", max_high_share);
  visit("min_low_layers", min_low_layers);
  visit("max_bytes", max_bytes);
  visit("goal", goal);
  visit("output", output);
  visit("samples", samples);
  visit("probe_samples", probe_samples);
  visit("weights_reconstructed", weights_reconstructed);
}

template <OptionsOf<LearningRateAdjustment> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [error, learning_rate] = options;
  visit("error", error);
  visit("learning_rate", learning_rate);
}

template <OptionsOf<FinetuneOptions> Options, typename Visit>
void for_each_field(Options& options, const Visit& visit) {
  auto& [algorithm, objective, samples, iterations, learning_rate, batch_size, seed, early_stop,
         early_stop_window, learning_rate_adjustment, op_types, selective_update, update_bias,
         output_quantizer, drop_ratio, regularization, beta_start, beta_end, warm_start,
         bias_correction, beam, choose_scales] = options;
  visit("algorithm", algorithm);
  visit("objective", objective);
  visit("samples", samples);
  visit("iterations", iterations);
  visit("learning_rate", learning_rate);
  visit("batch_size", batch_size);
  visit("seed", seed);
  visit("early_stop", early_stop);
  visit("early_stop_window", early_stop_window);
  visit("learning_rate_adjustment", learning_rate_adjustment);
  visit("op_types", op_types);
  visit("selective_update", selective_update);
  visit("update_bias", update_bias);
  visit("output_quantizer", output_quantizer);
  visit("drop_ratio", drop_ratio);
  visit("regularization", regularization);
  visit("beta_start", beta_start);
  visit("beta_end", beta_end);
  visit("warm_start", warm_start);
  visit("bias_correction", bias_correction);
  visit("beam", beam);
  visit("choose_scales", choose_scales);
}

}  // namespace quantsearch
