// Named configurations: those of Quark, with one definition per name, and those of this project.

#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

namespace {

const char* const kNotInteger = "its types are not integers; only integer types are built";

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
  return {
      .name = name, .meaning = meaning, .refused = std::nullopt, .settings = std::move(settings)};
}

PresetInfo refused(const std::string& name, const std::string& reason) {
  return {.name = name, .meaning = "", .refused = reason, .settings = {}};
}

const std::string kMinMax = "CalibrationMethod.MinMax";
const std::string kPercentile = "CalibrationMethod.Percentile";
const Settings kPercentile6 = {{"extra_options.Percentile", 99.9999}};
const Settings kPercentile5 = {{"extra_options.Percentile", 99.999}};
const Settings kPercentile5Aligned = {{"extra_options.Percentile", 99.999},
                                      {"extra_options.AlignConcat", true}};
const Settings kMovingAverage = {{"extra_options.CalibMovingAverage", true},
                                 {"extra_options.MatMulConstBOnly", true}};

/// Mixed precision within the default tolerance (docs/decisions/0002).
Settings mixed(const std::string& target, Settings more) {
  more["include_auto_mp"] = true;
  more["extra_options.AutoMixprecision.L2Target"] = 0.01;
  if (!target.empty()) more["extra_options.AutoMixprecision.TargetQuantType"] = target;
  return more;
}

void add_integer_presets(std::vector<PresetInfo>& presets) {
  presets.push_back(
      integer_preset(std::string(kDefaultPreset),
                     "uint8 asymmetric activations, int8 weights per channel: runs fastest on CPUs",
                     {"QUInt8", "QInt8", false}, kMinMax, {{"per_channel", true}}));
  presets.push_back(integer_preset(
      "XINT8", "power-of-two scales, MinMSE, within the limits of the DPU's shifters",
      {"QUInt8", "QInt8", true}, "PowerOfTwoMethod.MinMSE", {{"enable_npu_cnn", true}}));
  presets.push_back(integer_preset("S8S8_AAWS",
                                   "int8 asymmetric activations, int8 symmetric weights",
                                   {"QInt8", "QInt8", false}, kPercentile, kPercentile6));
  presets.push_back(integer_preset("U8S8_AAWS",
                                   "uint8 asymmetric activations, int8 symmetric weights",
                                   {"QUInt8", "QInt8", false}, kPercentile, kPercentile5));
  presets.push_back(integer_preset("U8U8_AAWA", "uint8 asymmetric activations and weights",
                                   {"QUInt8", "QUInt8", false, false}, kPercentile, kPercentile5));
  presets.push_back(integer_preset("S16S8_ASWS",
                                   "int16 symmetric activations, int8 symmetric weights",
                                   {"QInt16", "QInt8", true}, kPercentile, kPercentile5));
  presets.push_back(integer_preset("U16S8_AAWS",
                                   "uint16 asymmetric activations, int8 symmetric weights",
                                   {"QUInt16", "QInt8", false}, kPercentile, kPercentile5));
  presets.push_back(integer_preset("A8W8", "int8 symmetric activations and weights, Concat aligned",
                                   {"QInt8", "QInt8", true}, kPercentile, kPercentile5Aligned));
  presets.push_back(
      integer_preset("A16W8", "int16 symmetric activations, int8 symmetric weights, Concat aligned",
                     {"QInt16", "QInt8", true}, kPercentile, kPercentile5Aligned));
  presets.push_back(integer_preset("INT8_CNN_DEFAULT", "uint8 activations, int8 weights, MinMax",
                                   {"QUInt8", "QInt8", false}, kMinMax));
  presets.push_back(integer_preset("INT16_CNN_DEFAULT", "uint16 activations, int16 weights, MinMax",
                                   {"QUInt16", "QInt16", false}, kMinMax));
  presets.push_back(integer_preset("INT8_TRANSFORMER_DEFAULT",
                                   "uint8 activations, moving-average MinMax",
                                   {"QUInt8", "QInt8", false}, kMinMax, kMovingAverage));
  presets.push_back(integer_preset("INT16_TRANSFORMER_DEFAULT",
                                   "uint16 activations, moving-average MinMax",
                                   {"QUInt16", "QInt16", false}, kMinMax, kMovingAverage));
  presets.push_back(integer_preset(
      "S16S16_MIXED_S8S8",
      "int16 symmetric, and int8 in as many layers as leave the noise at 1 % of the outputs",
      {"QInt16", "QInt16", true}, kPercentile,
      mixed("QInt8", {{"extra_options.Percentile", 99.9999}})));
  Settings widened = mixed("", {{"per_channel", true}});
  widened["extra_options.AutoMixprecision.ActTargetQuantType"] = "QUInt16";
  widened["extra_options.AutoMixprecision.WeightTargetQuantType"] = "QInt16";
  presets.push_back(integer_preset(
      "U8S8_MIXED_U16S16",
      "U8S8_CPU, and 16 bits in as few layers as bring the noise to 1 % of the outputs",
      {"QUInt8", "QInt8", false}, kMinMax, std::move(widened)));
}

/// Returns the settings that `_ADAROUND`, `_ADAQUANT` and `_ACCURATE` add to their base preset.
Settings finetune_settings(const char* algorithm, double learning_rate) {
  const std::string group = "extra_options.FastFinetune.";
  return {{"include_fast_ft", true},       {group + "OptimAlgorithm", algorithm},
          {group + "DataSize", 1000},      {group + "BatchSize", 2},
          {group + "NumIterations", 1000}, {group + "LearningRate", learning_rate},
          {group + "EarlyStop", true}};
}

PresetInfo tuned(const PresetInfo& base, const std::string& name, const std::string& method,
                 const Settings& finetune) {
  PresetInfo made = base;
  made.name = name;
  made.meaning = base.meaning + ", " + method;
  made.settings.insert(finetune.begin(), finetune.end());
  return made;
}

void add_tuned_presets(std::vector<PresetInfo>& presets) {
  const Settings adaround = finetune_settings("adaround", 0.1);
  const Settings adaquant = finetune_settings("adaquant", 1e-5);
  const std::vector<PresetInfo> bases = presets;
  for (const PresetInfo& base : bases) {
    const std::string& name = base.name;
    if (name.ends_with("_DEFAULT")) {
      PresetInfo accurate = tuned(base, name.substr(0, name.size() - 7) + "ACCURATE",
                                  "Percentile and AdaRound", adaround);
      accurate.settings["calibrate_method"] = kPercentile;
      accurate.settings["extra_options.Percentile"] = 99.9999;
      accurate.settings.erase("extra_options.CalibMovingAverage");
      presets.push_back(std::move(accurate));
    } else if (name != kDefaultPreset && name != "U8U8_AAWA") {
      presets.push_back(tuned(base, name + "_ADAROUND", "AdaRound", adaround));
      presets.push_back(tuned(base, name + "_ADAQUANT", "AdaQuant", adaquant));
    }
  }
}

void add_refused_presets(std::vector<PresetInfo>& presets) {
  presets.push_back(refused("UINT8_DYNAMIC_QUANT", "dynamic quantization is not built"));
  presets.push_back(
      refused("VINT8", "int8 biases and function-changing rewrites are not built yet"));
  presets.push_back(refused("MATMUL_NBITS", "4-bit weight-only quantization is not built"));
  for (const char* name : {"FP16", "BF16", "BFP16", "MX4", "MX6", "MX9", "MXFP8E5M2", "MXFP8E4M3",
                           "MXFP6E3M2", "MXFP6E2M3", "MXFP4E2M1", "MXINT8", "BF16_BFP16",
                           "BF16_MXINT8", "MX9_INT8", "BF16_MIXED_BFP16", "BF16_MIXED_MXINT8"}) {
    presets.push_back(refused(name, kNotInteger));
  }
}

}  // namespace

std::span<const PresetInfo> all_presets() {
  static const std::vector<PresetInfo> kPresets = [] {
    std::vector<PresetInfo> made;
    add_integer_presets(made);
    add_tuned_presets(made);
    add_refused_presets(made);
    return made;
  }();
  return kPresets;
}

}  // namespace quantsearch
