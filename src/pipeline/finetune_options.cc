// Options of fine-tuning: the FastFinetune mapping of AMD Quark and the additions of this project.

#include <algorithm>

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"

namespace quantsearch::options {

namespace {

const std::string kFinetuneGroup = "extra_options.FastFinetune.";
const std::string kAlgorithm = kFinetuneGroup + "OptimAlgorithm";

FinetuneOptions& tuned(QuantizationConfig& config) {
  if (!config.finetune) config.finetune = FinetuneOptions{.algorithm = FinetuneAlgorithm::none};
  return *config.finetune;
}

bool is_tuning(const Settings& settings) {
  return effective_value("include_fast_ft", settings).as_bool();
}

/// Returns a condition that holds when fine-tuning by one of these algorithms is on.
std::function<bool(const Settings&)> under(std::vector<std::string> algorithms) {
  return [algorithms = std::move(algorithms)](const Settings& settings) {
    return is_tuning(settings) &&
           std::ranges::find(algorithms, effective_value(kAlgorithm, settings).as_string()) !=
               algorithms.end();
  };
}

std::function<bool(const Settings&)> under_gradients() { return under({"adaround", "adaquant"}); }

/// True for the gradient methods when each step reads samples.
bool reads_samples(const Settings& settings) {
  return under_gradients()(settings) &&
         effective_value(kFinetuneGroup + "Objective", settings) == Value("sampled");
}

bool takes_single_numbers(const Settings& settings) {
  return under_gradients()(settings) &&
         effective_value(kFinetuneGroup + "NumIterLR", settings).is_null();
}

/// Returns the check of a list of exactly two numbers.
std::function<Value(const Value&)> pair_of(std::function<Value(const Value&)> first,
                                           std::function<Value(const Value&)> second) {
  return [first = std::move(first), second = std::move(second)](const Value& value) -> Value {
    const Value::List& items = value.as_list();
    if (items.size() != 2)
      throw InvalidInput("got " + to_json(value) + ", expected a list of two numbers");
    return Value::List{first(items[0]), second(items[1])};
  };
}

void add_switches(std::vector<Option>& table) {
  table.push_back({.name = "extra_options.BiasCorrection",
                   .meaning = "biases take up the mean error of their layer, in closed form; after "
                              "adaround or adaquant, or alone "
                              "(gptq chooses biases itself)",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (value.as_bool()) tuned(config).bias_correction = true;
                       },
                   .matters = [](const Settings& settings) { return !under({"gptq"})(settings); }});
  table.push_back({.name = "include_fast_ft",
                   .meaning = "fine-tune the integer weights layer by layer (FastFinetune)",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply = [](QuantizationConfig& config, const Value& value) {
                     if (value.as_bool()) (void)tuned(config);
                   }});
  table.push_back(
      {.name = kAlgorithm,
       .meaning = "adaround, adaquant, or gptq (closed form: no iterations, no learning rate)",
       .default_value = "adaround",
       .canonical = one_of({{"adaround", {}}, {"adaquant", {}}, {"gptq", {}}}),
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             FinetuneOptions& options = tuned(config);
             options.algorithm = value == Value("adaround")   ? FinetuneAlgorithm::adaround
                                 : value == Value("adaquant") ? FinetuneAlgorithm::adaquant
                                                              : FinetuneAlgorithm::gptq;
             options.iterations = options.algorithm == FinetuneAlgorithm::adaquant ? 3000 : 1000;
             options.learning_rate = options.algorithm == FinetuneAlgorithm::adaquant ? 1e-5 : 0.1;
           },
       .matters = is_tuning});
}

void add_steps(std::vector<Option>& table) {
  table.push_back({.name = kFinetuneGroup + "NumIterations",
                   .meaning = "steps for each layer; absent: 1000 for adaround, 3000 for adaquant",
                   .default_value = {},
                   .canonical = optional(integer(1, 10'000'000)),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (!value.is_null()) tuned(config).iterations = value.as_int();
                       },
                   .matters = takes_single_numbers});
  table.push_back({.name = kFinetuneGroup + "LearningRate",
                   .meaning = "of Adam; absent: 0.1 for adaround, 1e-5 for adaquant",
                   .default_value = {},
                   .canonical = optional(number_above(0, 1e6)),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (!value.is_null()) tuned(config).learning_rate = value.as_double();
                       },
                   .matters = takes_single_numbers});
  table.push_back({.name = kFinetuneGroup + "NumIterLR",
                   .meaning = "[NumIterations, LearningRate] as one joint parameter",
                   .default_value = {},
                   .is_list = true,
                   .canonical = optional(pair_of(integer(1, 10'000'000), number_above(0, 1e6))),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (value.is_null()) return;
                         tuned(config).iterations = value.as_list()[0].as_int();
                         tuned(config).learning_rate = value.as_list()[1].as_double();
                       },
                   .matters = under_gradients()});
  table.push_back(
      {.name = kFinetuneGroup + "LRAdjust",
       .meaning =
           "[error, learning rate]: the rate of layers whose relative error is above `error`",
       .default_value = {},
       .is_list = true,
       .canonical = optional(pair_of(number_from(0, 1e9), number_above(0, 1e6))),
       .apply =
           [](QuantizationConfig& config, const Value& value) {
             if (value.is_null()) return;
             tuned(config).learning_rate_adjustment = {
                 .error = value.as_list()[0].as_double(),
                 .learning_rate = value.as_list()[1].as_double()};
           },
       .matters = under_gradients()});
}

void add_seed_and_early_stop(std::vector<Option>& table) {
  table.push_back({.name = kFinetuneGroup + "FixedSeed",
                   .meaning = "seed of the minibatches",
                   .default_value = 1705472343,
                   .canonical = integer(0, std::int64_t{1} << 62),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         tuned(config).seed = static_cast<std::uint64_t>(value.as_int());
                       },
                   .matters = reads_samples});
  table.push_back({.name = kFinetuneGroup + "EarlyStop",
                   .meaning = "stop a layer when the error of its rounded weights no longer falls",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply = [](QuantizationConfig& config,
                               const Value& value) { tuned(config).early_stop = value.as_bool(); },
                   .matters = under_gradients()});
  table.push_back(
      {.name = kFinetuneGroup + "NumBatches",
       .meaning = "EarlyStop: steps between two checks; 1: a tenth of the iterations",
       .default_value = 1,
       .canonical = integer(1, 10'000'000),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { tuned(config).early_stop_window = value.as_int(); },
       .matters =
           [](const Settings& settings) {
             return under_gradients()(settings) &&
                    effective_value(kFinetuneGroup + "EarlyStop", settings).as_bool();
           }});
}

void add_data(std::vector<Option>& table) {
  table.push_back({.name = kFinetuneGroup + "DataSize",
                   .meaning = "the first N calibration samples; absent: all",
                   .default_value = {},
                   .canonical = optional(integer(1, std::int64_t{1} << 40)),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         if (!value.is_null()) tuned(config).samples = value.as_int();
                       },
                   .matters = is_tuning});
  table.push_back({.name = kFinetuneGroup + "BatchSize",
                   .meaning = "samples of one step",
                   .default_value = 1,
                   .canonical = integer(1, 1'000'000),
                   .apply = [](QuantizationConfig& config,
                               const Value& value) { tuned(config).batch_size = value.as_int(); },
                   .matters = reads_samples});
  table.push_back(
      {.name = kFinetuneGroup + "DropRatio",
       .meaning = "share of a layer's inputs that are quantized in a step, the rest is float, "
                  "value by value",
       .default_value = 1.0,
       .canonical = number_from(0, 1),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { tuned(config).drop_ratio = value.as_double(); },
       .matters = reads_samples});
  table.push_back(
      {.name = kFinetuneGroup + "OutputQDQ",
       .meaning = "the quantizer after a layer is part of the error",
       .default_value = false,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { tuned(config).output_quantizer = value.as_bool(); },
       .matters = reads_samples});
  table.push_back({.name = kFinetuneGroup + "Objective",
                   .meaning = "sampled: the error on minibatches; second_moment: the same over all "
                              "data, from its moments",
                   .default_value = "sampled",
                   .canonical = one_of({{"sampled", {}}, {"second_moment", {}}}),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         tuned(config).objective = value == Value("sampled")
                                                       ? FinetuneObjective::sampled
                                                       : FinetuneObjective::second_moment;
                       },
                   .matters = under_gradients()});
  table.push_back({.name = kFinetuneGroup + "TargetOpType",
                   .meaning = "operator types that are tuned",
                   .default_value = Value::List{"Conv", "ConvTranspose", "Gemm", "MatMul"},
                   .is_list = true,
                   .canonical = list_of_strings(),
                   .apply = [](QuantizationConfig& config,
                               const Value& value) { tuned(config).op_types = strings_of(value); },
                   .matters = is_tuning});
}

void add_updates(std::vector<Option>& table) {
  table.push_back(
      {.name = kFinetuneGroup + "SelectiveUpdate",
       .meaning = "keep a layer's update only if the model's outputs come closer to the float ones",
       .default_value = false,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { tuned(config).selective_update = value.as_bool(); },
       .matters = is_tuning});
  table.push_back({.name = kFinetuneGroup + "UpdateBias",
                   .meaning = "adaquant: biases are trained, too",
                   .default_value = false,
                   .canonical = boolean(),
                   .apply = [](QuantizationConfig& config,
                               const Value& value) { tuned(config).update_bias = value.as_bool(); },
                   .matters = under({"adaquant"})});
}

void add_adaround(std::vector<Option>& table) {
  table.push_back(
      {.name = kFinetuneGroup + "RegParam",
       .meaning = "adaround: weight of the term that drives weights to the grid",
       .default_value = 0.01,
       .canonical = number_from(0, 1e6),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { tuned(config).regularization = value.as_double(); },
       .matters = under({"adaround"})});
  table.push_back({.name = kFinetuneGroup + "BetaRange",
                   .meaning = "adaround: exponent of that term at its start and end",
                   .default_value = Value::List{20.0, 2.0},
                   .is_list = true,
                   .canonical = pair_of(number_above(0, 1000), number_above(0, 1000)),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         tuned(config).beta_start = value.as_list()[0].as_double();
                         tuned(config).beta_end = value.as_list()[1].as_double();
                       },
                   .matters = under({"adaround"})});
  table.push_back(
      {.name = kFinetuneGroup + "WarmStart",
       .meaning = "adaround: share of the iterations before that term begins",
       .default_value = 0.2,
       .canonical = number_from(0, 0.999),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { tuned(config).warm_start = value.as_double(); },
       .matters = under({"adaround"})});
}

void add_gptq(std::vector<Option>& table) {
  table.push_back(
      {.name = kFinetuneGroup + "Beam",
       .meaning = "gptq: partial solutions kept for each output; 1: plain nearest plane",
       .default_value = 1,
       .canonical = integer(1, 64),
       .apply = [](QuantizationConfig& config,
                   const Value& value) { tuned(config).beam = static_cast<int>(value.as_int()); },
       .matters = under({"gptq"})});
  table.push_back({.name = kFinetuneGroup + "ChooseScales",
                   .meaning =
                       "gptq: weight scales are chosen with the solver in the loop; absent: unless "
                       "enable_npu_cnn, whose shifters limit them",
                   .default_value = {},
                   .canonical = optional(boolean()),
                   .apply =
                       [](QuantizationConfig& config, const Value& value) {
                         tuned(config).choose_scales =
                             value.is_null() ? !config.quantize.npu.enabled : value.as_bool();
                       },
                   .matters = under({"gptq"})});
}

}  // namespace

bool batch_exceeds(const Settings& settings, std::int64_t samples) {
  if (!reads_samples(settings)) return false;
  const Value size = effective_value(kFinetuneGroup + "DataSize", settings);
  const std::int64_t tuned_on = size.is_null() ? samples : std::min(samples, size.as_int());
  return effective_value(kFinetuneGroup + "BatchSize", settings).as_int() > tuned_on;
}

void add_finetune_options(std::vector<Option>& table) {
  add_switches(table);
  add_steps(table);
  add_seed_and_early_stop(table);
  add_data(table);
  add_updates(table);
  add_adaround(table);
  add_gptq(table);
}

}  // namespace quantsearch::options
