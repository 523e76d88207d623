// Options for the form in which single kinds of operators are stored: tables that Gather reads, the
// weights of LSTM, and the gates of HardSigmoid and HardSwish.

#include "pipeline/option_table.h"

namespace quantsearch::options {

namespace {

TableWeights table_weights(const Value& value) {
  if (value.as_string() == "float") return TableWeights::keep_float;
  return value.as_string() == "per_row" ? TableWeights::per_row : TableWeights::per_tensor;
}

}  // namespace

void add_storage_options(std::vector<Option>& table) {
  table.push_back(
      {.name = "extra_options.TableWeights",
       .meaning =
           "constant tables that Gather reads (embeddings): per_tensor (integers with one scale, "
           "dequantized after the Gather), per_row (one scale per row) or float",
       .default_value = "per_tensor",
       .canonical = one_of({{"per_tensor", {}}, {"per_row", {}}, {"float", {}}}),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.quantize.table_weights = table_weights(value); },
       .matters = {}});
  table.push_back(
      {.name = "extra_options.RecurrentWeights",
       .meaning =
           "LSTM: float, or dynamic (8-bit weights, what they multiply is quantized in each run: "
           "DynamicQuantizeLSTM); GRU and RNN stay float",
       .default_value = "float",
       .canonical = one_of({{"float", {}}, {"dynamic", {}}}),
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             if (value.as_string() == "dynamic")
               config.quantize.recurrent_weights = RecurrentWeights::dynamic;
           },
       .matters = {}});
  table.push_back({.name = "extra_options.HardActivations",
                   .meaning =
                       "HardSigmoid and HardSwish behind integer kernels: float, or integer (a "
                       "saturating Add, and a Mul for HardSwish)",
                   .default_value = "integer",
                   .canonical = one_of({{"integer", {}}, {"float", {}}}),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (value.as_string() == "float")
                           config.quantize.hard_activations = HardActivations::keep_float;
                       },
                   .matters = {}});
}

}  // namespace quantsearch::options
