// One quantized model, and the scores of one.

#include <fmt/core.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "callbacks.h"
#include "environment.h"
#include "quantsearch/base/error.h"
#include "quantsearch/evaluate/comparison.h"
#include "quantsearch/pipeline/quantize_model.h"
#include "values.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

using Source = std::shared_ptr<DataSource>;

/// (model, description).
nb::tuple quantize_model(const Model& model, const Source& calibration, nb::handle config,
                         bool check, int threads, const std::string& memory, nb::handle on_event) {
  const Settings settings = settings_from(to_value(config, "quantization_config"));
  (void)resolve(settings);  // invalid settings are refused before any work
  std::optional<CheckedModel> checked;
  Value description;
  WatchedCall call;
  const auto work = [&] {
    ThreadPool pool(threads);
    const ByteBudget budget(memory_bytes(memory));
    Pipeline pipeline(model, calibration, pool, budget, {.log = log_to(call.queue)});
    checked = build_checked(settings, model, *calibration, pipeline,
                            {.check = check, .log = log_to(call.queue), .token = call.token});
    description = describe(*checked, settings, model);
  };
  run_interruptibly(work, call, on_event);
  return nb::make_tuple(checked->quantized().model, to_python(description));
}

Device one_device(const std::string& name) {
  const std::vector<Device> devices = parse_devices(name);
  if (devices.size() > 1)
    throw InvalidInput(fmt::format("evaluate: got the devices '{}', expected one", name));
  require_devices(devices);
  return devices.front();
}

nb::object evaluate_model(const ComparisonInput& input, ComparisonOptions options, int threads,
                          const std::string& memory, nb::handle on_event) {
  Value result;
  WatchedCall call;
  options.token = call.token;
  options.log = log_to(call.queue);
  const auto work = [&] {
    ThreadPool pool(threads);
    const ByteBudget budget(memory_bytes(memory));
    result = quantsearch::to_value(compare_models(input, options, pool, budget));
  };
  run_interruptibly(work, call, on_event);
  return to_python(result);
}

}  // namespace

void bind_quantize(nb::module_& module) {
  module.def("quantize", &quantize_model, nb::arg("model"), nb::arg("calibration"),
             nb::arg("config").none(), nb::arg("check"), nb::arg("threads"), nb::arg("memory"),
             nb::arg("on_event"));
  module.def(
      "evaluate",
      [](const Model& float_model, const Model& candidate, const Source& data,
         const std::vector<std::string>& metrics, const std::optional<Labels>& labels,
         std::int64_t batch, bool latency, const std::string& device, int threads,
         const std::string& memory, nb::handle on_event) {
        ComparisonOptions options{
            .metrics = {}, .batch = batch, .latency = latency, .device = one_device(device)};
        for (const std::string& name : metrics) options.metrics.push_back(parse_metric(name));
        return evaluate_model(
            {.float_model = float_model, .candidate = candidate, .data = data, .labels = labels},
            options, threads, memory, on_event);
      },
      nb::arg("float_model"), nb::arg("candidate"), nb::arg("data"), nb::arg("metrics"),
      nb::arg("labels").none(), nb::arg("batch"), nb::arg("latency"), nb::arg("device"),
      nb::arg("threads"), nb::arg("memory"), nb::arg("on_event"));
}

}  // namespace quantsearch::python
