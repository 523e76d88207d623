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
#include "quantsearch/evaluate.h"
#include "quantsearch/evaluate/own_noise.h"
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
  EventQueue queue;
  const CancellationToken token;
  const auto work = [&] {
    ThreadPool pool(threads);
    const ByteBudget budget(memory_bytes(memory));
    Pipeline pipeline(model, calibration, pool, budget, {.log = log_to(queue)});
    checked = build_checked(settings, model, *calibration, pipeline,
                            {.check = check, .log = log_to(queue), .token = token});
    description = describe(*checked, settings, model);
  };
  run_interruptibly(work, queue, token, on_event);
  return nb::make_tuple(checked->quantized().model, to_python(description));
}

struct ScoreOptions {
  std::vector<std::string> metrics;
  std::optional<Labels> labels;
  std::int64_t batch = 0;
  bool latency = false;
  Device device = {};
};

Device one_device(const std::string& name) {
  const std::vector<Device> devices = parse_devices(name);
  if (devices.size() > 1)
    throw InvalidInput(fmt::format("evaluate: got the devices '{}', expected one", name));
  require_devices(devices);
  return devices.front();
}

std::vector<Metric> metrics_of(const ScoreOptions& options) {
  std::vector<Metric> metrics;
  for (const std::string& name : options.metrics) metrics.push_back(parse_metric(name));
  if (!metrics.empty()) return metrics;
  for (const MetricInfo& info : all_metrics()) {
    if (!info.needs_labels || options.labels) metrics.push_back(info.metric);
  }
  return metrics;
}

Value scores_value(const Scores& scores, const std::optional<Latency>& latency) {
  Value metrics(Value::Map{});
  for (const auto& [name, value] : scores.metrics) metrics.set(name, value);
  return Value::Map{{"scores", metrics},
                    {"size_bytes", scores.size_bytes},
                    {"latency_ms", latency ? Value(latency->median_ms) : Value()}};
}

Value score(const Model& float_model, const Model& candidate, const Source& data,
            const ScoreOptions& options, ThreadPool& pool, const ByteBudget& budget,
            const CancellationToken& token, const LogSink& log) {
  const std::vector<Metric> metrics = metrics_of(options);
  const Reference reference(float_model, data, options.labels, pool, budget,
                            {.batch = options.batch,
                             .spill_folder = {},
                             .token = token,
                             .log = log,
                             .device = options.device});
  const Scores scores = evaluate(candidate, reference, pool,
                                 {.metrics = metrics, .output_weights = {}, .token = token});
  const std::optional<OwnNoise> noise = own_noise(float_model, *data, options.device, token);
  std::optional<Latency> float_latency;
  std::optional<Latency> latency;
  if (options.latency) {
    const Batch sample = data->read(0, 1);
    const LatencyOptions latency_options{.device = options.device, .token = token};
    float_latency = measure_latency(float_model, sample, latency_options);
    latency = measure_latency(candidate, sample, latency_options);
  }
  return Value::Map{{"float", scores_value(reference.float_scores(metrics), float_latency)},
                    {"quantized", scores_value(scores, latency)},
                    {"samples", data->size()},
                    {"float_rel_l2_against_itself", noise ? Value(noise->rel_l2) : Value()}};
}

nb::object evaluate_model(const Model& float_model, const Model& candidate, const Source& data,
                          const ScoreOptions& options, int threads, const std::string& memory,
                          nb::handle on_event) {
  Value result;
  EventQueue queue;
  const CancellationToken token;
  const auto work = [&] {
    ThreadPool pool(threads);
    const ByteBudget budget(memory_bytes(memory));
    result = score(float_model, candidate, data, options, pool, budget, token, log_to(queue));
  };
  run_interruptibly(work, queue, token, on_event);
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
         std::vector<std::string> metrics, std::optional<Labels> labels, std::int64_t batch,
         bool latency, const std::string& device, int threads, const std::string& memory,
         nb::handle on_event) {
        const ScoreOptions options{.metrics = std::move(metrics),
                                   .labels = std::move(labels),
                                   .batch = batch,
                                   .latency = latency,
                                   .device = one_device(device)};
        return evaluate_model(float_model, candidate, data, options, threads, memory, on_event);
      },
      nb::arg("float_model"), nb::arg("candidate"), nb::arg("data"), nb::arg("metrics"),
      nb::arg("labels").none(), nb::arg("batch"), nb::arg("latency"), nb::arg("device"),
      nb::arg("threads"), nb::arg("memory"), nb::arg("on_event"));
}

}  // namespace quantsearch::python
