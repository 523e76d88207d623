#include "trials/built_details.h"

#include <algorithm>
#include <chrono>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/evaluate/paired_latency.h"

namespace quantsearch {

namespace {

constexpr const char* kLeftFloat = "left_float";

std::int64_t float_layers(const QuantizedModel& quantized) {
  return std::ranges::count_if(quantized.layers,
                               [](const LayerRecord& layer) { return !layer.reason.empty(); });
}

/// Returns the error of each layer before and after fine-tuning.
Value reconstruction_value(const std::vector<LayerReconstruction>& layers) {
  Value::List rows;
  for (const LayerReconstruction& layer : layers) {
    Value row = Value::Map{{"node", layer.node},
                           {"tuned", layer.tuned},
                           {"error_before", layer.error_before},
                           {"error_after", layer.error_after},
                           {"seconds", layer.seconds}};
    if (!layer.reason.empty()) row.set("reason", layer.reason);
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Returns the format of each layer and the reason for it.
Value precision_value(const std::vector<LayerPrecision>& layers,
                      const std::map<std::string, NodeFormat>& formats) {
  const Settings written = with_node_formats({}, formats);
  const Value& by_node = written.at("node_formats");
  Value::List rows;
  for (const LayerPrecision& layer : layers) {
    const Value* const format = by_node.find(layer.node);
    rows.push_back(Value::Map{{"node", layer.node},
                              {"format", format != nullptr ? *format : Value(Value::Map{})},
                              {"widened", layer.is_high},
                              {"sensitivity", layer.sensitivity},
                              {"estimated_noise", layer.estimates.front()},
                              {"reason", layer.reason}});
  }
  return rows;
}

Value left_float_value(const std::vector<LeftFloat>& left_float) {
  Value::List rows;
  for (const LeftFloat& left : left_float) {
    for (const std::string& node : left.nodes)
      rows.push_back(Value::Map{{"node", node}, {"reason", left.reason}});
  }
  return rows;
}

double seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(std::chrono::round<std::chrono::milliseconds>(now)).count();
}

}  // namespace

std::map<std::string, StageResult> stage_results(const std::vector<StageRecord>& stages) {
  std::map<std::string, StageResult> results;
  for (const StageRecord& stage : stages)
    results[stage.name] = {.seconds = stage.seconds, .cached = stage.cached};
  return results;
}

TrialDetails details_of(const Scores& scores, const RunnableCandidate& made) {
  const Candidate& candidate = made.candidate;
  TrialDetails details{.scores = scores.metrics,
                       .size_bytes = scores.size_bytes,
                       .float_layers = float_layers(*candidate.quantized),
                       .stages = stage_results(candidate.stages)};
  details.conversions = conversions_of(candidate.quantized->model);
  details.memory_bytes = memory_use().resident_bytes;
  details.ended_at = seconds_since_1970();
  if (scores.latency) details.latency_ms = scores.latency->median_ms;
  if (!candidate.precision.empty())
    details.layer_tables["precision"] =
        precision_value(candidate.precision, candidate.node_formats);
  if (!candidate.reconstruction.empty())
    details.layer_tables["reconstruction"] = reconstruction_value(candidate.reconstruction);
  if (!made.left_float.empty())
    details.layer_tables[kLeftFloat] = left_float_value(made.left_float);
  return details;
}

std::vector<std::string> nodes_left_float(const TrialDetails& details) {
  std::vector<std::string> nodes;
  const auto rows = details.layer_tables.find(kLeftFloat);
  if (rows == details.layer_tables.end()) return nodes;
  for (const Value& row : rows->second.as_list()) {
    if (const Value* const node = row.find("node"); node != nullptr && node->is_string())
      nodes.push_back(node->as_string());
  }
  return nodes;
}

}  // namespace quantsearch
