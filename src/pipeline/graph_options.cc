// Options of the float graph before statistics are collected, and of the written format.

#include "pipeline/option_table.h"
#include "quantsearch/internal/quantize/option_keys.h"

namespace quantsearch::options {

namespace {

using Switch = bool SimplifyOptions::*;

Option switch_option(const std::string& name, const std::string& meaning, Switch field,
                     bool default_value) {
  return {.name = name,
          .meaning = meaning,
          .default_value = default_value,
          .canonical = boolean(),
          .apply = [field](QuantizationConfig& config,
                           const Value& value) { config.simplify.*field = value.as_bool(); },
          .matters = {}};
}

}  // namespace

void add_graph_options(std::vector<Option>& table) {
  table.push_back(
      {.name = "quant_format",
       .meaning = "QDQ: QuantizeLinear/DequantizeLinear pairs, the only format written",
       .default_value = "QDQ",
       .canonical = one_of(
           {{"QDQ", {"QuantFormat.QDQ", "ExtendedQuantFormat.QDQ"}}},
           {{"QOperator", "is not built: ONNX Runtime fuses QDQ to the same kernels"},
            {"QuantFormat.QOperator", "is not built: ONNX Runtime fuses QDQ to the same kernels"}}),
       .apply = [](QuantizationConfig&, const Value&) {},
       .matters = {}});
  table.push_back({.name = std::string(keys::kRequantize),
                   .meaning = "take a model whose activations are quantized already, and quantize "
                              "what it has left float",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply = [](QuantizationConfig& config,
                               const Value& value) { config.requantize = value.as_bool(); },
                   .matters = {}});
  table.push_back(switch_option("extra_options.SimplifyModel", "fold constants",
                                &SimplifyOptions::fold_constants, true));
  table.push_back(switch_option("extra_options.FoldBatchNorm",
                                "fold BatchNormalization into the layer before it",
                                &SimplifyOptions::fold_batch_norm, true));
  table.push_back(switch_option("extra_options.ConvertFP16ToFP32",
                                "turn a float16 model into float32 first",
                                &SimplifyOptions::fp16_to_fp32, false));
  table.push_back(switch_option("extra_options.ConvertReduceMeanToGlobalAvgPool",
                                "ReduceMean over the spatial axes becomes GlobalAveragePool",
                                &SimplifyOptions::reduce_mean_to_global_pool, true));
  table.push_back({.name = "extra_options.ConvertOpsetVersion",
                   .meaning = "raise the model's opset to this; absent: only as far as needed",
                   .default_value = {},
                   .canonical = optional(integer(7, 100)),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (!value.is_null()) config.simplify.opset = value.as_int();
                       },
                   .matters = {}});
}

}  // namespace quantsearch::options
