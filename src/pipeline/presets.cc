// Named configurations: Quark's, one definition per name, and ours.

#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

namespace {

const char* const kNotInteger = "its types are not integers; only integer types are built";
const char* const kFinetune = "fine-tuning is not built yet";

struct Types {
  const char* activation;
  const char* weight;
  bool activation_symmetric;
  bool weight_symmetric = true;
};

PresetInfo integer_preset(const std::string& name, const std::string& meaning, const Types& types,
                          const std::string& method, Settings more = {}) {
  Settings settings = std::move(more);
  settings["activation_type"] = types.activation;
  settings["weight_type"] = types.weight;
  settings["extra_options.ActivationSymmetric"] = types.activation_symmetric;
  settings["extra_options.WeightSymmetric"] = types.weight_symmetric;
  settings["calibrate_method"] = method;
  return {.name = name, .meaning = meaning, .refused = std::nullopt, .settings = std::move(settings)};
}

PresetInfo refused(const std::string& name, const std::string& reason) {
  return {.name = name, .meaning = "", .refused = reason, .settings = {}};
}

const std::string kMinMax = "CalibrationMethod.MinMax";
const std::string kPercentile = "CalibrationMethod.Percentile";
const Settings kPercentile6 = {{"extra_options.Percentile", 99.9999}};
const Settings kPercentile5 = {{"extra_options.Percentile", 99.999}};
const Settings kMovingAverage = {{"extra_options.CalibMovingAverage", true},
                                 {"extra_options.MatMulConstBOnly", true}};

void add_integer_presets(std::vector<PresetInfo>& presets) {
  presets.push_back(integer_preset(std::string(kDefaultPreset),
                                   "uint8 asymmetric activations, int8 weights per channel: runs fastest on CPUs",
                                   {"QUInt8", "QInt8", false}, kMinMax, {{"per_channel", true}}));
  presets.push_back(integer_preset("XINT8", "power-of-two scales, MinMSE (without the DPU's alignment and shift rules)",
                                   {"QUInt8", "QInt8", true}, "PowerOfTwoMethod.MinMSE"));
  presets.push_back(integer_preset("S8S8_AAWS", "int8 asymmetric activations, int8 symmetric weights",
                                   {"QInt8", "QInt8", false}, kPercentile, kPercentile6));
  presets.push_back(integer_preset("U8S8_AAWS", "uint8 asymmetric activations, int8 symmetric weights",
                                   {"QUInt8", "QInt8", false}, kPercentile, kPercentile5));
  presets.push_back(integer_preset("U8U8_AAWA", "uint8 asymmetric activations and weights",
                                   {"QUInt8", "QUInt8", false, false}, kPercentile, kPercentile5));
  presets.push_back(integer_preset("S16S8_ASWS", "int16 symmetric activations, int8 symmetric weights",
                                   {"QInt16", "QInt8", true}, kPercentile, kPercentile5));
  presets.push_back(integer_preset("U16S8_AAWS", "uint16 asymmetric activations, int8 symmetric weights",
                                   {"QUInt16", "QInt8", false}, kPercentile, kPercentile5));
  presets.push_back(integer_preset("A8W8", "int8 symmetric activations and weights", {"QInt8", "QInt8", true}, kPercentile,
                                   kPercentile5));
  presets.push_back(integer_preset("A16W8", "int16 symmetric activations, int8 symmetric weights",
                                   {"QInt16", "QInt8", true}, kPercentile, kPercentile5));
  presets.push_back(integer_preset("INT8_CNN_DEFAULT", "uint8 activations, int8 weights, MinMax",
                                   {"QUInt8", "QInt8", false}, kMinMax));
  presets.push_back(integer_preset("INT16_CNN_DEFAULT", "uint16 activations, int16 weights, MinMax",
                                   {"QUInt16", "QInt16", false}, kMinMax));
  presets.push_back(integer_preset("INT8_TRANSFORMER_DEFAULT", "uint8 activations, moving-average MinMax",
                                   {"QUInt8", "QInt8", false}, kMinMax, kMovingAverage));
  presets.push_back(integer_preset("INT16_TRANSFORMER_DEFAULT", "uint16 activations, moving-average MinMax",
                                   {"QUInt16", "QInt16", false}, kMinMax, kMovingAverage));
}

void add_refused_presets(std::vector<PresetInfo>& presets) {
  presets.push_back(refused("UINT8_DYNAMIC_QUANT", "dynamic quantization is not built"));
  presets.push_back(refused("VINT8", "int8 biases and function-changing rewrites are not built yet"));
  presets.push_back(refused("S16S16_MIXED_S8S8", "mixed precision is not built yet"));
  presets.push_back(refused("MATMUL_NBITS", "4-bit weight-only quantization is not built"));
  for (const char* name : {"FP16", "BF16", "BFP16", "MX4", "MX6", "MX9", "MXFP8E5M2", "MXFP8E4M3", "MXFP6E3M2",
                           "MXFP6E2M3", "MXFP4E2M1", "MXINT8", "BF16_BFP16", "BF16_MXINT8", "MX9_INT8",
                           "BF16_MIXED_BFP16", "BF16_MIXED_MXINT8"}) {
    presets.push_back(refused(name, kNotInteger));
  }
  for (const char* name : {"INT8_CNN_ACCURATE", "INT16_CNN_ACCURATE", "INT8_TRANSFORMER_ACCURATE",
                           "INT16_TRANSFORMER_ACCURATE"}) {
    presets.push_back(refused(name, kFinetune));
  }
  for (const char* base : {"XINT8", "S8S8_AAWS", "U8S8_AAWS", "S16S8_ASWS", "A8W8", "A16W8", "U16S8_AAWS"}) {
    presets.push_back(refused(std::string(base) + "_ADAROUND", kFinetune));
    presets.push_back(refused(std::string(base) + "_ADAQUANT", kFinetune));
  }
}

}  // namespace

std::span<const PresetInfo> all_presets() {
  static const std::vector<PresetInfo> presets = [] {
    std::vector<PresetInfo> made;
    add_integer_presets(made);
    add_refused_presets(made);
    return made;
  }();
  return presets;
}

}  // namespace quantsearch
