// Options of mixed precision: the AutoMixprecision mapping of AMD Quark and the additions of this
// project.

#include <algorithm>

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"

namespace quantsearch::options {

namespace {

const std::string kPrecisionGroup = "extra_options.AutoMixprecision.";
constexpr const char* kFloatTarget = "Float";

bool is_mixing(const Settings& settings) {
  return effective_value("include_auto_mp", settings).as_bool();
}

PrecisionOptions& mixed(QuantizationConfig& config) {
  if (!config.precision) config.precision.emplace();
  return *config.precision;
}

Option option(const std::string& name, const std::string& meaning, Value default_value,
              std::function<Value(const Value&)> canonical,
              const std::function<void(PrecisionOptions&, const Value&)>& apply) {
  return {.name = kPrecisionGroup + name,
          .meaning = meaning,
          .default_value = std::move(default_value),
          .canonical = std::move(canonical),
          .apply =
              [apply](QuantizationConfig& config, const Value& value) {
                if (!value.is_null()) apply(mixed(config), value);
              },
          .matters = is_mixing};
}

Option list_option(const std::string& name, const std::string& meaning,
                   const Value::List& default_value,
                   std::vector<std::string> PrecisionOptions::*field) {
  Option made = option(name, meaning, default_value, list_of_strings(),
                       [field](PrecisionOptions& options, const Value& value) {
                         options.*field = strings_of(value);
                       });
  made.is_list = true;
  return made;
}

/// Returns the type of the same signedness and the other width.
std::string other_width(const std::string& type) {
  return type.ends_with("16") ? type.substr(0, type.size() - 2) + "8"
                              : type.substr(0, type.size() - 1) + "16";
}

std::string target_type(const std::string& option, const std::string& type_option,
                        const Settings& settings) {
  const Value own = effective_value(kPrecisionGroup + option, settings);
  if (!own.is_null()) return own.as_string();
  const Value both = effective_value(kPrecisionGroup + "TargetQuantType", settings);
  if (!both.is_null()) return both.as_string();
  const std::string base = effective_value(type_option, settings).as_string();
  // When one of the two is given, the other stays as it is.
  const bool any_given =
      !effective_value(kPrecisionGroup + "ActTargetQuantType", settings).is_null() ||
      !effective_value(kPrecisionGroup + "WeightTargetQuantType", settings).is_null();
  return any_given ? base : other_width(base);
}

struct TargetTypes {
  DataType activation = DataType::undefined;
  DataType weight = DataType::undefined;
  int activation_change = 0;  // in bits
  int weight_change = 0;
};

TargetTypes target_of(const Settings& settings) {
  const auto base = [&](const std::string& name) {
    return data_type_named(effective_value(name, settings).as_string());
  };
  TargetTypes target{
      .activation = data_type_named(target_type("ActTargetQuantType", "activation_type", settings)),
      .weight = data_type_named(target_type("WeightTargetQuantType", "weight_type", settings))};
  target.activation_change = bits_of(target.activation) - bits_of(base("activation_type"));
  target.weight_change = bits_of(target.weight) - bits_of(base("weight_type"));
  return target;
}

bool targets_float(const Settings& settings) {
  return effective_value(kPrecisionGroup + "TargetQuantType", settings) == Value(kFloatTarget);
}

/// A type, or that the layers stay float.
std::function<Value(const Value&)> type_or_float() {
  return [type = quant_type()](const Value& value) -> Value {
    return value == Value(kFloatTarget) ? value : type(value);
  };
}

bool is_up(const TargetTypes& target) {
  return target.activation_change > 0 || target.weight_change > 0;
}

/// When a format has more bits in both types, it is preceded by those with more bits in one type,
/// which are cheaper and often sufficient.
std::vector<NodeFormat> steps(const NodeFormat& low, const NodeFormat& high, bool both_differ) {
  if (!both_differ) return {high};
  return {{.activation = low.activation, .weight = high.weight, .keep_float = false},
          {.activation = high.activation, .weight = low.weight, .keep_float = false},
          high};
}

void set_formats(PrecisionOptions& options, const TargetTypes& target) {
  const NodeFormat base;
  const NodeFormat given{
      .activation = target.activation, .weight = target.weight, .keep_float = false};
  const bool both_differ = target.activation_change != 0 && target.weight_change != 0;
  options.low = is_up(target) ? base : given;
  options.high = is_up(target) ? steps(base, given, both_differ) : steps(given, base, both_differ);
}

void add_formats(std::vector<Option>& table) {
  const auto nothing = [](PrecisionOptions&, const Value&) {};
  table.push_back(option("TargetQuantType",
                         "type that layers get beside activation_type and weight_type; Float: they "
                         "stay float; absent: the other width of both",
                         {}, optional(type_or_float()), nothing));
  table.push_back(option("ActTargetQuantType", "the same for activations alone", {},
                         optional(quant_type()), nothing));
  table.push_back(option("WeightTargetQuantType", "the same for weights alone", {},
                         optional(quant_type()), nothing));
  table.push_back(option("AllowFloat", "layers may stay float where the wider type is not enough",
                         false, boolean(), nothing));
}

using Limit = std::optional<double> PrecisionOptions::*;

Option share_option(const std::string& name, const std::string& meaning, Limit field) {
  return option(name, meaning, {}, optional(number_from(0, 1)),
                [field](PrecisionOptions& options, const Value& value) {
                  options.*field = value.as_double();
                });
}

void add_limits(std::vector<Option>& table) {
  table.push_back(
      option("L2Target", "largest noise energy of the outputs, as a share of their energy (rel_l2)",
             {}, optional(number_from(0, 1e9)), [](PrecisionOptions& options, const Value& value) {
               options.thresholds[Metric::rel_l2] = value.as_double();
             }));
  table.push_back(option(
      "WorstSliceTarget", "largest noise energy of a slice of an output, as a share of its energy",
      {}, optional(number_from(0, 1e9)), [](PrecisionOptions& options, const Value& value) {
        options.thresholds[Metric::worst_slice] = value.as_double();
      }));
  table.push_back(share_option(
      "Top1AccTarget",
      "largest share of best classes (last axis) that differ from the float model's: no top-1 "
      "accuracy falls by more",
      &PrecisionOptions::changed_classes));
  table.push_back(share_option(
      "Top1RareTarget", "the same where the float model's class is not its most frequent one",
      &PrecisionOptions::changed_rare_classes));
  table.push_back(option(
      "NumTarget", "layers that get the target type: at most, when it is the wider; else at least",
      {}, optional(integer(0, 1'000'000)), [](PrecisionOptions&, const Value&) {}));
  table.push_back(share_option("MaxShare", "largest share of layers with the wider type",
                               &PrecisionOptions::max_high_share));
  table.push_back(option(
      "MaxBytes", "largest size of the written model", {},
      optional(integer(1, std::int64_t{1} << 60)),
      [](PrecisionOptions& options, const Value& value) { options.max_bytes = value.as_int(); }));
  table.push_back(option(
      "MetricDefault", "what MetricThreshold limits: l2 (as L2Target), kl, cosine, sqnr or psnr",
      "l2", one_of({{"l2", {}}, {"kl", {}}, {"cosine", {"cos"}}, {"sqnr", {}}, {"psnr", {}}}),
      [](PrecisionOptions&, const Value&) {}));
  table.push_back(option("MetricThreshold",
                         "worst value allowed: l2, kl and 1 - cosine at most this, sqnr and psnr "
                         "at least this many dB",
                         {}, optional(number_from(-1e9, 1e9)),
                         [](PrecisionOptions&, const Value&) {}));
  table.push_back(
      option("MetricOptimizeObject",
             "speed: as few layers of the wider type as the limits allow; quality: the best within "
             "NumTarget, MaxShare or MaxBytes",
             "speed", one_of({{"speed", {}}, {"quality", {}}}),
             [](PrecisionOptions& options, const Value& value) {
               if (value == Value("quality")) options.goal = PrecisionGoal::best_in_budget;
             }));
}

void set_threshold(PrecisionOptions& options, const std::string& metric, double value) {
  const auto at_most = [&](Metric which) {
    const auto [entry, is_new] = options.thresholds.try_emplace(which, value);
    if (!is_new) entry->second = std::min(entry->second, value);
  };
  if (metric == "l2") return at_most(Metric::rel_l2);
  if (metric == "kl") return at_most(Metric::kl);
  if (metric == "cosine") options.thresholds[Metric::cos] = 1 - value;
  if (metric == "sqnr") options.thresholds[Metric::sqnr] = value;
  if (metric == "psnr") options.thresholds[Metric::psnr] = value;
}

void add_scope(std::vector<Option>& table) {
  table.push_back(list_option(
      "TargetOpType", "operators that begin a layer; others belong to the layer they read",
      Value::List{"Conv", "ConvTranspose", "Gemm", "MatMul"}, &PrecisionOptions::op_types));
  table.push_back(list_option("IncludeLayers", "only these layers (their first nodes); empty: all",
                              {}, &PrecisionOptions::include_layers));
  table.push_back(list_option("ExcludeLayers", "layers that keep activation_type and weight_type",
                              {}, &PrecisionOptions::exclude_layers));
  table.push_back(option(
      "DataSize", "calibration samples that judge a model", 64, integer(1, 1'000'000'000),
      [](PrecisionOptions& options, const Value& value) { options.samples = value.as_int(); }));
  table.push_back(option("ProbeSize", "calibration samples that measure the sensitivity of a layer",
                         8, integer(1, 1'000'000'000),
                         [](PrecisionOptions& options, const Value& value) {
                           options.probe_samples = value.as_int();
                         }));
  table.push_back(option(
      "OutputIndex", "the output that counts; absent: all", {}, optional(integer(0, 1'000'000)),
      [](PrecisionOptions& options, const Value& value) { options.output = value.as_int(); }));
}

}  // namespace

void add_precision_options(std::vector<Option>& table) {
  table.push_back(
      {.name = "include_auto_mp",
       .meaning =
           "mixed precision: each layer gets the narrowest types it can do with (AutoMixprecision)",
       .default_value = false,
       .canonical = boolean(),
       .apply = [](QuantizationConfig& config, const Value& value) {
         if (value.as_bool()) (void)mixed(config);
       }});
  add_formats(table);
  add_limits(table);
  add_scope(table);
}

void finish_precision(QuantizationConfig& config, const Settings& settings) {
  if (!is_mixing(settings)) return;
  PrecisionOptions& options = mixed(config);
  const bool to_float = targets_float(settings);
  const TargetTypes target = to_float ? TargetTypes{} : target_of(settings);
  if (!to_float) set_formats(options, target);
  if (to_float || effective_value(kPrecisionGroup + "AllowFloat", settings).as_bool()) {
    options.high.push_back({.activation = {}, .weight = {}, .keep_float = true});
  }
  // The rules of an NPU fix positions that depend on the width of the weights, so that
  // reconstructed weights must not replace them.
  options.weights_reconstructed = config.finetune &&
                                  config.finetune->algorithm != FinetuneAlgorithm::none &&
                                  !config.quantize.npu.enabled;
  const Value layers = effective_value(kPrecisionGroup + "NumTarget", settings);
  if (!layers.is_null())
    (to_float || is_up(target) ? options.max_high_layers : options.min_low_layers) =
        layers.as_int();
  const Value threshold = effective_value(kPrecisionGroup + "MetricThreshold", settings);
  if (threshold.is_null()) return;
  set_threshold(options, effective_value(kPrecisionGroup + "MetricDefault", settings).as_string(),
                threshold.as_double());
}

namespace {

std::optional<std::string> type_contradiction(const Settings& settings) {
  if (targets_float(settings)) return std::nullopt;
  const TargetTypes target = target_of(settings);
  const bool up = is_up(target);
  const bool down = target.activation_change < 0 || target.weight_change < 0;
  if (up && down)
    return "mixed precision cannot widen activations and narrow weights, or the other way, at once";
  if (up || down) return std::nullopt;
  return "mixed precision needs a target type of another width than activation_type and "
         "weight_type";
}

}  // namespace

std::optional<std::string> precision_contradiction(const Settings& settings) {
  if (!is_mixing(settings)) return std::nullopt;
  if (auto reason = type_contradiction(settings)) return reason;
  const auto given = [&](const char* name) {
    return !effective_value(kPrecisionGroup + name, settings).is_null();
  };
  const bool has_budget = given("NumTarget") || given("MaxShare") || given("MaxBytes");
  if (effective_value(kPrecisionGroup + "MetricOptimizeObject", settings) == Value("quality") &&
      !has_budget) {
    return "MetricOptimizeObject quality needs NumTarget, MaxShare or MaxBytes";
  }
  if (has_budget || given("L2Target") || given("WorstSliceTarget") || given("Top1AccTarget") ||
      given("Top1RareTarget") || given("MetricThreshold")) {
    return std::nullopt;
  }
  return "include_auto_mp needs a limit: L2Target, Top1AccTarget, Top1RareTarget, MetricThreshold, "
         "NumTarget, MaxShare or "
         "MaxBytes of AutoMixprecision";
}

}  // namespace quantsearch::options
