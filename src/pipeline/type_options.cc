// Options that choose types, symmetry and scales.

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"

namespace quantsearch::options {

namespace {

std::vector<NamedChoice> integer_types() {
  return {{"QInt8", {"QuantType.QInt8", "Int8"}},
          {"QUInt8", {"QuantType.QUInt8", "UInt8"}},
          {"QInt16", {"QuantType.QInt16", "Int16"}},
          {"QUInt16", {"QuantType.QUInt16", "UInt16"}}};
}

std::map<std::string, std::string> refused_types(const std::vector<const char*>& integers) {
  std::map<std::string, std::string> refused;
  for (const char* name : integers) {
    refused[name] = refused[std::string("QuantType.") + name] =
        "is not built: use QInt8, QUInt8, QInt16 or QUInt16";
  }
  for (const char* name :
       {"QFloat16", "QBFloat16", "QBFP", "QMX", "Float16", "BFloat16", "BFP16", "MX"}) {
    refused[name] = refused[std::string("QuantType.") + name] =
        "is not an integer type; only integer types are built";
  }
  return refused;
}

DataType data_type(const Value& value) { return data_type_named(value.as_string()); }

WeightRange weight_range(const Value& value) {
  if (value.as_string() == "MinMSE") return WeightRange::mse;
  if (value.as_string() == "Percentile") return WeightRange::percentile;
  return WeightRange::min_max;
}

void add_types(std::vector<Option>& table) {
  table.push_back({.name = "activation_type",
                   .meaning = "integer type of activations: QInt8, QUInt8, QInt16, QUInt16",
                   .default_value = "QUInt8",
                   .canonical = quant_type(),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     config.quantize.activation_type = config.ranges.type = data_type(value);
                   }});
  table.push_back({.name = "weight_type",
                   .meaning = "integer type of weights: QInt8, QUInt8, QInt16, QUInt16",
                   .default_value = "QInt8",
                   .canonical = quant_type(),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     config.quantize.weight_type = data_type(value);
                   }});
  table.push_back({.name = "per_channel",
                   .meaning = "one weight scale per output channel instead of one per tensor",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     config.quantize.per_channel = value.as_bool();
                   }});
  table.push_back({.name = "reduce_range",
                   .meaning = "weights one bit narrower, for x86 processors without VNNI",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     config.quantize.reduce_range = value.as_bool();
                   }});
}

void add_symmetry(std::vector<Option>& table) {
  table.push_back({.name = "extra_options.ActivationSymmetric",
                   .meaning = "activations symmetric around zero",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     config.quantize.activation_symmetric = value.as_bool();
                     config.ranges.symmetric_quantization = value.as_bool();
                   }});
  table.push_back({.name = "extra_options.WeightSymmetric",
                   .meaning = "weights symmetric around zero",
                   .default_value = true,
                   .canonical = boolean(),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     config.quantize.weight_symmetric = value.as_bool();
                   }});
  table.push_back(
      {.name = "extra_options.WeightCalibrateMethod",
       .meaning = "range of weights: MinMax, MinMSE (least squared error), Percentile; absent: "
                  "MinMSE under "
                  "PowerOfTwoMethod.MinMSE, else MinMax",
       .default_value = {},
       .canonical = optional(
           one_of({{"MinMax", {"CalibrationMethod.MinMax"}},
                   {"MinMSE", {"ExtendedCalibrationMethod.MinMSE", "CalibrationMethod.MinMSE"}},
                   {"Percentile", {"CalibrationMethod.Percentile"}}})),
       .apply = [](QuantizationConfig& config, const Value& value) {
         if (!value.is_null()) config.quantize.weight_range = weight_range(value);
       }});
  table.push_back(
      {.name = "extra_options.QuantizeBias",
       .meaning = "biases as integers, int32 with scale s_in * s_w; false leaves them float",
       .default_value = true,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config, const Value& value) {
         config.quantize.quantize_bias = value.as_bool();
       }});
}

bool biases_are_integers(const Settings& settings) {
  return effective_value("extra_options.QuantizeBias", settings).as_bool();
}

bool scales_are_free(const Settings& settings) {
  return !effective_value("calibrate_method", settings)
              .as_string()
              .starts_with("PowerOfTwoMethod.");
}

void add_forms(std::vector<Option>& table) {
  table.push_back({.name = "extra_options.Int32Bias",
                   .meaning = "false: biases have the weight's type and a scale of their own, as "
                              "NPUs want them; absent: "
                              "false only with enable_npu_cnn",
                   .default_value = {},
                   .canonical = optional(boolean()),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (value.is_null()) return;
                         config.quantize.bias_type =
                             value.as_bool() ? BiasType::int32 : BiasType::like_weight;
                       },
                   .matters = biases_are_integers});
  table.push_back({.name = "extra_options.Int16Bias",
                   .meaning = "biases as int16 with scale s_in * s_w * 2^k, k as small as fits",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (value.as_bool()) config.quantize.bias_type = BiasType::int16;
                       },
                   .matters = biases_are_integers});
  table.push_back(
      {.name = "extra_options.Int16Scale",
       .meaning = "scales are M / 2^N with a 16-bit M and as large an N as the scale needs",
       .default_value = false,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.quantize.int16_scale = value.as_bool(); },
       .matters = scales_are_free});
}

}  // namespace

std::function<Value(const Value&)> override_type() {
  std::vector<NamedChoice> types = integer_types();
  types.push_back({"QInt32", {"QuantType.QInt32", "Int32"}});
  return one_of(std::move(types), refused_types({"QUInt32", "QInt4", "QUInt4"}));
}

std::function<Value(const Value&)> quant_type() {
  return one_of(integer_types(), refused_types({"QInt32", "QUInt32", "QInt4", "QUInt4"}));
}

DataType data_type_named(const std::string& name) {
  if (name == "QInt8") return DataType::int8;
  if (name == "QUInt8") return DataType::uint8;
  if (name == "QInt16") return DataType::int16;
  if (name == "QUInt16") return DataType::uint16;
  if (name == "QInt32") return DataType::int32;
  throw InternalError("quantization type '" + name + "' has no data type");
}

void add_type_options(std::vector<Option>& table) {
  add_types(table);
  add_symmetry(table);
  add_forms(table);
}

}  // namespace quantsearch::options
