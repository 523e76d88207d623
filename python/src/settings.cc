// Configurations: presets, options, keys, spaces.

#include "quantsearch/pipeline/settings.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
#include "environment.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/pipeline/inspect.h"
#include "search_request.h"
#include "values.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

nb::list presets() {
  nb::list list;
  for (const PresetInfo& preset : all_presets()) {
    const Value settings = preset.refused ? Value() : quantsearch::to_value(preset.settings);
    list.append(nb::make_tuple(preset.name, preset.meaning, preset.refused, to_python(settings)));
  }
  return list;
}

nb::list options() {
  nb::list list;
  for (const OptionInfo& option : all_options())
    list.append(nb::make_tuple(option.name, option.meaning, to_python(option.default_value)));
  return list;
}

nb::list keys() {
  nb::list list;
  for (const SearchKey& key : search_keys())
    list.append(nb::make_tuple(key.name, key.meaning, key.default_value));
  return list;
}

/// The keys of a search without a configuration, with members as mappings.
nb::object default_search_config() {
  Value config(Value::Map{});
  for (const CommandLineValue& value : default_search(true)) {
    const std::size_t dot = value.key.find('.');
    if (dot == std::string::npos) {
      config.set(value.key, value.value);
    } else {
      config.set(value.key.substr(0, dot), Value::Map{{value.key.substr(dot + 1), value.value}});
    }
  }
  return to_python(config);
}

nb::list metrics() {
  nb::list list;
  for (const MetricInfo& metric : all_metrics()) {
    list.append(nb::make_tuple(metric.name, metric.meaning,
                               metric.direction == Goal::minimize ? "minimize" : "maximize",
                               metric.needs_labels));
  }
  return list;
}

/// A quantization configuration with canonical names and values.
nb::object canonical_config(nb::handle config) {
  return to_python(quantsearch::to_value(settings_from(to_value(config, "quantization_config"))));
}

Value plan_value(const SpacePlan& plan) {
  Value filtered(Value::Map{});
  for (const auto& [reason, count] : plan.summary.filtered) filtered.set(reason, count);
  Value::List stages;
  for (const PlannedStage& stage : plan.stages) {
    stages.push_back(Value::Map{{"name", stage.name},
                                {"trials", stage.trials},
                                {"complete", stage.complete},
                                {"expected_seconds", stage.expected_seconds}});
  }
  Value::List points;
  for (const Point& point : plan.first) points.push_back(Value::Map(point.begin(), point.end()));
  Value::List warnings(plan.warnings.begin(), plan.warnings.end());
  return Value::Map{{"raw", plan.summary.raw},
                    {"distinct", plan.summary.distinct},
                    {"complete", plan.summary.complete},
                    {"filtered", filtered},
                    {"stages", stages},
                    {"expected_seconds", plan.expected_seconds},
                    {"warnings", warnings},
                    {"points", points}};
}

nb::object space(nb::handle config, bool has_evaluator, const Model& model, std::int64_t first) {
  const AutoSearchConfig parsed = config_of(config, has_evaluator);
  const Value plan = [&] {
    const nb::gil_scoped_release released;
    return plan_value(plan_space(parsed, model, first));
  }();
  return to_python(plan);
}

nb::object inspect_model(const Model& model, nb::handle config) {
  const QuantizationConfig resolved =
      resolve(settings_from(to_value(config, "quantization_config")));
  const Value value = [&] {
    const nb::gil_scoped_release released;
    return quantsearch::to_value(inspect(model, resolved));
  }();
  return to_python(value);
}

}  // namespace

void bind_settings(nb::module_& module) {
  module.attr("default_preset") = std::string(kDefaultPreset);
  module.def("presets", &presets);
  module.def("options", &options);
  module.def("search_keys", &keys);
  module.def("metrics", &metrics);
  module.def("default_search", &default_search_config);
  module.def("canonical_config", &canonical_config, nb::arg("config").none());
  module.def(
      "with_target",
      [](nb::handle config, const std::string& target) {
        std::optional<Settings> settings;
        if (!config.is_none()) settings = settings_from(to_value(config, "quantization_config"));
        if (settings) settings->erase("target");
        return to_python(quantsearch::to_value(with_target(std::move(settings), target)));
      },
      nb::arg("config").none(), nb::arg("target"));
  module.def(
      "check_search_config",
      [](nb::handle config, bool has_evaluator) { (void)config_of(config, has_evaluator); },
      nb::arg("config"), nb::arg("has_evaluator"));
  module.def("plan_space", &space, nb::arg("config"), nb::arg("has_evaluator"), nb::arg("model"),
             nb::arg("first"));
  module.def("inspect", &inspect_model, nb::arg("model"), nb::arg("config").none());
  module.def("memory_bytes", &memory_bytes, nb::arg("text"));
  module.def(
      "canonical_value",
      [](const std::string& option, nb::handle value) {
        return to_python(canonical_value(option, to_value(value, option)));
      },
      nb::arg("option"), nb::arg("value").none());
  module.def(
      "load_config_file", [](const std::string& file) { return to_python(load_config_file(file)); },
      nb::arg("file"));
  module.def(
      "to_yaml", [](nb::handle value) { return to_yaml(to_value(value, "value")); },
      nb::arg("value").none());
}

}  // namespace quantsearch::python
