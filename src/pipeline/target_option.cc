// The target: the processors that the written model is for; see docs/targets.md.

#include "pipeline/option_table.h"

namespace quantsearch::options {

namespace {

Target target_named(const std::string& name) {
  if (name == "cpu-vnni") return Target::cpu_vnni;
  return name == "npu-cnn" ? Target::npu_cnn : Target::cpu;
}

bool is_npu(const Settings& settings) {
  return effective_value("enable_npu_cnn", settings).as_bool();
}

/// True when a kernel may saturate. Only int8 weights with 8-bit activations saturate; formats of
/// single nodes may add such a layer.
bool may_saturate(const Settings& settings) {
  if (is_npu(settings)) return true;
  const auto is_given = [&](const char* option) {
    const auto found = settings.find(option);
    return found != settings.end() && !found->second.is_null() && found->second != Value(false);
  };
  if (is_given("include_auto_mp") || is_given("node_formats") ||
      is_given("extra_options.TensorQuantOverrides"))
    return true;
  const std::string activation = effective_value("activation_type", settings).as_string();
  return effective_value("weight_type", settings) == Value("QInt8") &&
         (activation == "QUInt8" || activation == "QInt8");
}

}  // namespace

void add_target_option(std::vector<Option>& table) {
  table.push_back({.name = "target",
                   .meaning = "processors for which the model must be right: cpu (every one that "
                              "ONNX Runtime's CPU provider runs "
                              "on, x86 without VNNI included), cpu-vnni (products are added in 32 "
                              "bits) or npu-cnn; absent: npu-cnn "
                              "with enable_npu_cnn, else cpu",
                   .default_value = {},
                   .canonical = optional(one_of({{"cpu", {}}, {"cpu-vnni", {}}, {"npu-cnn", {}}})),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (!value.is_null())
                           config.quantize.target = target_named(value.as_string());
                       },
                   .matters = may_saturate});
}

std::optional<std::string> target_contradiction(const Settings& settings) {
  const Value target = effective_value("target", settings);
  if (target.is_null()) return std::nullopt;
  const bool for_npu = target == Value("npu-cnn");
  if (for_npu && !is_npu(settings))
    return "target npu-cnn needs enable_npu_cnn, as the preset XINT8 has it";
  if (!for_npu && is_npu(settings)) return "enable_npu_cnn is for the target npu-cnn";
  return std::nullopt;
}

}  // namespace quantsearch::options
