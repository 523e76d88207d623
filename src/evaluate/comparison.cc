#include "quantsearch/evaluate/comparison.h"

#include <fmt/core.h>

#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

std::vector<Metric> metrics_of(const ComparisonOptions& options, bool has_labels) {
  if (!options.metrics.empty()) return options.metrics;
  std::vector<Metric> metrics;
  for (const MetricInfo& info : all_metrics()) {
    if (!info.needs_labels || has_labels) metrics.push_back(info.metric);
  }
  return metrics;
}

std::shared_ptr<const Task> task_of(const ComparisonInput& input,
                                    const ComparisonOptions& options) {
  if (!options.task) return nullptr;
  return make_task(
      *options.task,
      {.float_model = input.float_model, .samples = input.data, .labels = input.labels});
}

void warn_of(const OwnNoise& noise, const LogSink& log) {
  constexpr std::size_t kShown = 4;
  say(log, LogLevel::warning,
      fmt::format("the float model itself is not deterministic: random numbers come from {}, and a "
                  "second run of it has rel_l2 {:.3g} "
                  "against the first, which no quantized model can go below; export the model "
                  "without them for a score that means more",
                  some_of(noise.nodes, kShown), noise.rel_l2));
}

std::vector<Comparison::SlicedOutput> sliced_outputs(const Reference& reference) {
  std::vector<Comparison::SlicedOutput> sliced;
  for (std::size_t output = 0; output < reference.slices().size(); ++output) {
    const OutputSlices& slices = reference.slices()[output];
    if (!slices.axis) continue;
    sliced.push_back({.name = reference.output_names()[output],
                      .slices = slices.energies.size(),
                      .axis = *slices.axis});
  }
  return sliced;
}

Value value_of(const Scores& scores) {
  Value metrics(Value::Map{});
  for (const auto& [name, value] : scores.metrics) metrics.set(name, value);
  return Value::Map{{"scores", metrics},
                    {"size_bytes", scores.size_bytes},
                    {"latency_ms", scores.latency ? Value(scores.latency->median_ms) : Value()}};
}

}  // namespace

Comparison compare_models(const ComparisonInput& input, const ComparisonOptions& options,
                          ThreadPool& pool, const ByteBudget& budget) {
  const std::vector<Metric> metrics = metrics_of(options, input.labels.has_value());
  const Reference reference(input.float_model, input.data, input.labels, pool, budget,
                            {.batch = options.batch,
                             .spill_folder = {},
                             .token = options.token,
                             .log = options.log,
                             .device = options.device,
                             .task = task_of(input, options)});
  Comparison comparison{
      .float_model = {},
      .candidate = evaluate(input.candidate, reference, pool,
                            {.metrics = metrics, .output_weights = {}, .token = options.token}),
      .samples = input.data->size(),
      .own_noise = own_noise(input.float_model, *input.data, options.device, options.token),
      .sliced = sliced_outputs(reference)};
  comparison.float_model = reference.float_scores(metrics);
  if (comparison.own_noise) warn_of(*comparison.own_noise, options.log);
  if (options.latency) {
    const Batch sample = input.data->read(0, 1);
    const LatencyOptions latency{.device = options.device, .token = options.token};
    comparison.float_model.latency = measure_latency(input.float_model, sample, latency);
    comparison.candidate.latency = measure_latency(input.candidate, sample, latency);
  }
  return comparison;
}

Value to_value(const Comparison& comparison) {
  const std::optional<OwnNoise>& noise = comparison.own_noise;
  return Value::Map{{"float", value_of(comparison.float_model)},
                    {"quantized", value_of(comparison.candidate)},
                    {"samples", comparison.samples},
                    {"float_rel_l2_against_itself", noise ? Value(noise->rel_l2) : Value()}};
}

}  // namespace quantsearch
