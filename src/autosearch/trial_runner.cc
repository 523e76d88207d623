#include "autosearch/trial_runner.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "quantsearch/base/error.h"
#include "quantsearch/base/names.h"

namespace quantsearch {

namespace {

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Value stages_value(const std::vector<StageRecord>& stages) {
  Value value(Value::Map{});
  for (const StageRecord& stage : stages) {
    value.set(stage.name, Value::Map{{"seconds", stage.seconds}, {"cached", stage.cached}});
  }
  return value;
}

std::int64_t float_layers(const QuantizedModel& quantized) {
  return std::ranges::count_if(quantized.layers, [](const LayerRecord& layer) { return !layer.reason.empty(); });
}

/// Error of each layer before and after fine-tuning.
Value reconstruction_value(const std::vector<LayerReconstruction>& layers) {
  Value::List rows;
  for (const LayerReconstruction& layer : layers) {
    Value row = Value::Map{{"node", layer.node}, {"tuned", layer.tuned}, {"error_before", layer.error_before},
                           {"error_after", layer.error_after}, {"seconds", layer.seconds}};
    if (!layer.reason.empty()) row.set("reason", layer.reason);
    rows.push_back(std::move(row));
  }
  return rows;
}

/// The format of each layer and why.
Value precision_value(const std::vector<LayerPrecision>& layers, const std::map<std::string, NodeFormat>& formats) {
  const Settings written = with_node_formats({}, formats);
  const Value& by_node = written.at("node_formats");
  Value::List rows;
  for (const LayerPrecision& layer : layers) {
    const Value* const format = by_node.find(layer.node);
    rows.push_back(Value::Map{{"node", layer.node}, {"format", format != nullptr ? *format : Value(Value::Map{})},
                              {"widened", layer.is_high}, {"sensitivity", layer.sensitivity},
                              {"estimated_noise", layer.estimates.front()}, {"reason", layer.reason}});
  }
  return rows;
}

Value details_of(const Scores& scores, std::int64_t float_layers, const Candidate& candidate) {
  Value metrics(Value::Map{});
  for (const auto& [name, score] : scores.metrics) metrics.set(name, score);
  Value details = Value::Map{{"scores", metrics},
                             {"size_bytes", scores.size_bytes},
                             {"float_layers", float_layers},
                             {"stages", stages_value(candidate.stages)}};
  if (!candidate.precision.empty()) details.set("precision", precision_value(candidate.precision, candidate.node_formats));
  if (!candidate.reconstruction.empty()) details.set("reconstruction", reconstruction_value(candidate.reconstruction));
  return details;
}

/// What of a written model will not run as integers, once per reason.
void log_float_layers(const LogSink& log, std::int64_t number, const QuantizedModel& quantized) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const LayerRecord& layer : quantized.layers) {
    if (!layer.reason.empty()) by_reason[layer.reason].push_back(layer.node);
  }
  constexpr std::size_t kNamed = 3;
  for (const auto& [reason, nodes] : by_reason) {
    say(log, LogLevel::detail, fmt::format("trial {}: {}: {}", number, reason, some_of(nodes, kNamed)));
  }
}

}  // namespace

std::vector<Metric> recorded_metrics(const AutoSearchConfig& config, bool has_labels) {
  std::set<Metric> metrics = {config.metric, Metric::l2, Metric::rel_l2, Metric::cos, Metric::sqnr};
  if (has_labels) {
    metrics.insert(Metric::top1);
    metrics.insert(Metric::top5);
  }
  return {metrics.begin(), metrics.end()};
}

double custom_score(const CustomEvaluator& evaluator, const Model& model, const CancellationToken& token) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "model.onnx";
  save_model(model, file);
  const double score = evaluator.score(file, token);
  if (!std::isfinite(score)) throw IoError(fmt::format("evaluate: the custom evaluator returned {}, expected a finite number", score));
  return score;
}

TrialOutcome TrialRunner::run(const Point& point, std::int64_t number, const CancellationToken& token) {
  const auto start = Clock::now();
  const QuantizationConfig config = resolve(settings_of(context_.config.base, point));
  Candidate candidate = context_.pipeline.build(config, token);
  log_float_layers(context_.log, number, *candidate.quantized);

  const EvaluateOptions options = {
      .metrics = recorded_metrics(context_.config, context_.reference.labels().has_value()),
      .output_weights = context_.config.output_weights,
      .token = token};
  Scores scores = context_.pipeline.score(candidate, context_.reference, options);
  if (context_.evaluator) {
    const auto custom_start = Clock::now();
    scores.metrics["custom"] = custom_score(*context_.evaluator, candidate.quantized->model, token);
    candidate.stages.push_back({.name = "custom", .seconds = seconds_since(custom_start), .cached = false});
  }
  context_.costs.learn(point, seconds_since(start));
  latest_ = {.point = point, .quantized = candidate.quantized};
  return TrialSuccess{.value = scores.metrics.at(context_.objective.name),
                      .is_candidate = context_.acceptance.accepts(scores.metrics),
                      .details = details_of(scores, float_layers(*candidate.quantized), candidate)};
}

Settings TrialRunner::reproducing_settings(const Point& point) const {
  Settings settings = settings_of(context_.config.base, point);
  const QuantizationConfig config = resolve(settings);
  if (!config.precision) return settings;
  return with_node_formats(std::move(settings), context_.pipeline.build(config, {}).node_formats);
}

std::shared_ptr<const QuantizedModel> TrialRunner::model_of(const Point& point) const {
  if (latest_.quantized != nullptr && latest_.point == point) return latest_.quantized;
  return context_.pipeline.build(resolve(settings_of(context_.config.base, point)), {}).quantized;
}

}  // namespace quantsearch
