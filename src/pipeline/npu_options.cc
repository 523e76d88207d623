// Options of NPUs of the DPU family, with Quark's names; see docs/algorithms/npu.md.

#include "pipeline/option_table.h"

namespace quantsearch::options {

namespace {

bool for_npu(const Settings& settings) {
  return effective_value("enable_npu_cnn", settings).as_bool();
}

bool limits_are_checked(const Settings& settings) {
  return for_npu(settings) &&
         effective_value("extra_options.NPULimitationCheck", settings).as_bool();
}

bool aligns(const Settings& settings) {
  if (for_npu(settings)) return true;
  for (const char* name : {"AlignConcat", "AlignPool", "AlignPad"}) {
    if (effective_value(std::string("extra_options.") + name, settings) == Value(true)) return true;
  }
  return false;
}

Option align_option(const std::string& name, const std::string& meaning,
                    bool AlignOptions::*field) {
  return {.name = "extra_options." + name,
          .meaning = meaning + "; absent: only with enable_npu_cnn",
          .default_value = {},
          .canonical = optional(boolean()),
          .apply = [field](QuantizationConfig& config, const Value& value) {
            if (!value.is_null()) config.quantize.align.*field = value.as_bool();
          }};
}

Option limit_option(const std::string& name, const std::string& meaning, bool NpuOptions::*field) {
  return {.name = "extra_options." + name,
          .meaning = meaning,
          .default_value = true,
          .canonical = boolean(),
          .apply = [field](QuantizationConfig& config,
                           const Value& value) { config.quantize.npu.*field = value.as_bool(); },
          .matters = limits_are_checked};
}

void add_target(std::vector<Option>& table) {
  table.push_back(
      {.name = "enable_npu_cnn",
       .meaning =
           "for NPUs that compute on fixed-point positions: every operator quantized, biases like "
           "weights, parameters aligned, shifts within limits",
       .default_value = false,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config, const Value& value) {
         if (!value.as_bool()) return;
         config.quantize.npu.enabled = true;
         config.quantize.target = Target::npu_cnn;
         config.quantize.align = {.concat = true, .pool = true, .pad = true};
         config.quantize.bias_type = BiasType::like_weight;
         config.simplify.gather_hard_swish = false;  // an NPU has its own rules for the parts
         config.simplify.dpu.leaky_relu = config.simplify.dpu.hard_sigmoid = true;
         config.simplify.dpu.average_pool = config.simplify.dpu.reduce_mean = true;
       }});
}

/// An option whose absence means the value that SimulateDPU implies.
Option conversion(const std::string& name, const std::string& meaning, bool DpuOptions::*field) {
  return {.name = "extra_options." + name,
          .meaning = meaning + "; absent: only with enable_npu_cnn and SimulateDPU",
          .default_value = {},
          .canonical = optional(boolean()),
          .apply = [field](QuantizationConfig& config, const Value& value) {
            if (!value.is_null()) config.simplify.dpu.*field = value.as_bool();
          }};
}

Option asked_conversion(const std::string& name, const std::string& meaning,
                        bool DpuOptions::*field) {
  return {.name = "extra_options." + name,
          .meaning = meaning,
          .default_value = false,
          .canonical = boolean(),
          .apply = [field](QuantizationConfig& config, const Value& value) {
            config.simplify.dpu.*field = value.as_bool();
          }};
}

void add_conversions(std::vector<Option>& table) {
  table.push_back({.name = "extra_options.SimulateDPU",
                   .meaning = "write averages, slopes and HardSigmoid as the DPU computes them",
                   .default_value = true,
                   .canonical = boolean(),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (!value.as_bool()) config.simplify.dpu = {};
                       },
                   .matters = for_npu});
  table.push_back(conversion("ConvertLeakyReluToDPUVersion",
                             "slopes of LeakyRelu are multiples of 1/256",
                             &DpuOptions::leaky_relu));
  table.push_back(conversion("ConvertHardSigmoidToDPUVersion",
                             "the slope of HardSigmoid is 2731 / 2^14", &DpuOptions::hard_sigmoid));
  table.push_back(conversion("ConvertAvgPoolToDPUVersion", "average pools divide by k / 2^n",
                             &DpuOptions::average_pool));
  table.push_back(conversion("ConvertReduceMeanToDPUVersion", "ReduceMean divides by k / 2^n",
                             &DpuOptions::reduce_mean));
  table.push_back(asked_conversion("ConvertSigmoidToHardSigmoid",
                                   "Sigmoid becomes HardSigmoid: changes the function",
                                   &DpuOptions::sigmoid_to_hard_sigmoid));
  table.push_back(asked_conversion("ConvertClipToDPUVersion",
                                   "bounds of Clip become integers: changes the function",
                                   &DpuOptions::clip));
}

}  // namespace

void add_npu_options(std::vector<Option>& table) {
  add_target(table);
  add_conversions(table);
  table.push_back(align_option("AlignConcat", "inputs of Concat take the output's parameters",
                               &AlignOptions::concat));
  table.push_back(align_option("AlignPool", "outputs of average pools take the input's parameters",
                               &AlignOptions::pool));
  table.push_back(
      align_option("AlignPad", "inputs of Pad take the output's parameters", &AlignOptions::pad));
  table.push_back({.name = "extra_options.MaxLoopNum",
                   .meaning = "rounds of alignment and shift rules until nothing changes",
                   .default_value = 5,
                   .canonical = integer(1, 1000),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         config.quantize.align.max_loops = static_cast<int>(value.as_int());
                       },
                   .matters = aligns});
  table.push_back(
      {.name = "extra_options.NPULimitationCheck",
       .meaning = "keep positions within the limits of the shifters",
       .default_value = true,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { config.quantize.npu.limitation_check = value.as_bool(); },
       .matters = for_npu});
  table.push_back(limit_option("AdjustShiftRead", "inputs of Add and Sub at most 7 positions apart",
                               &NpuOptions::shift_read));
  table.push_back(limit_option(
      "AdjustShiftWrite", "Add, Sub and Mul: output at most 7 finer, 25 (32) coarser than the sum",
      &NpuOptions::shift_write));
  table.push_back(limit_option("AdjustShiftCut",
                               "layers: accumulator 0 to 16 positions finer than the output",
                               &NpuOptions::shift_cut));
  table.push_back(limit_option("AdjustShiftBias",
                               "layers: accumulator at most 15 positions finer than the bias",
                               &NpuOptions::shift_bias));
  table.push_back(limit_option("AdjustHardSigmoid",
                               "HardSigmoid: input position 0 to 15, output 7 or more",
                               &NpuOptions::hard_sigmoid));
  table.push_back(limit_option("AdjustShiftSwish",
                               "x * hardsigmoid(x): output at most 15 coarser than the product",
                               &NpuOptions::shift_swish));
}

}  // namespace quantsearch::options
