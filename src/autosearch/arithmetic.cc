#include "autosearch/arithmetic.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/evaluate/delivery_check.h"
#include "quantsearch/internal/model/bodies.h"
#include "quantsearch/pipeline/quantize_model.h"

namespace quantsearch {

namespace {

bool multiplies_integers_by_name(const Node& node) {
  return node.op_type.starts_with("QLinear") || node.op_type.ends_with("Integer") ||
         node.op_type == "DynamicQuantizeLinear";
}

bool makes_wide_integers(const GraphIndex& index, const Node& node) {
  const Tensor* const zero_point = index.initializer(node.input(2));
  return zero_point != nullptr && bits_of(zero_point->type()) == 16;
}

/// Those of the metrics among the scores.
std::map<std::string, double> only(const std::vector<Metric>& metrics,
                                   const std::map<std::string, double>& scores) {
  std::map<std::string, double> some;
  for (const Metric metric : metrics) {
    const auto found = scores.find(metric_info(metric).name);
    if (found != scores.end()) some.insert(*found);
  }
  return some;
}

}  // namespace

bool has_no_byte_products(const Graph& graph) {
  if (!bodies_of(graph).empty()) return false;
  const auto is_byte = [](const ValueInfo& input) {
    return input.type == DataType::int8 || input.type == DataType::uint8;
  };
  if (std::ranges::any_of(graph.inputs, is_byte)) return false;
  const GraphIndex index(graph);
  return std::ranges::all_of(graph.nodes, [&index](const Node& node) {
    if (node.op_type == "QuantizeLinear") return makes_wide_integers(index, node);
    const bool is_known = node.domain.empty() || node.op_type == "DequantizeLinear";
    return is_known && !multiplies_integers_by_name(node);
  });
}

std::optional<ArithmeticScores> arithmetic_scores(const Delivery& delivery, const BuiltModel& made,
                                                  const std::map<std::string, double>& scores) {
  const SearchEnvironment& environment = delivery.environment;
  // Only the CPU's integer kernels may saturate.
  if (delivery.reference.device() != Device{}) return std::nullopt;
  if (!environment.compare_with_graph || environment.token.is_cancelled()) return std::nullopt;
  const QuantizationConfig config = resolve(made.settings);
  const OpenRemedies open = open_remedies(config);
  if (!open.on_cpu) return std::nullopt;
  const bool of_graph = is_scored_as_graph(config.quantize.target);
  const std::vector<Metric> metrics =
      recorded_metrics(delivery.config.goals, delivery.reference.labels().has_value());
  if (delivery.reference.task() == nullptr && has_no_byte_products(made.model->graph))
    return compared(only(metrics, scores), scores);
  try {
    const Scores other = evaluate(*made.model, delivery.reference, *environment.pool,
                                  {.metrics = metrics,
                                   .output_weights = delivery.config.goals.output_weights,
                                   .exact_products = !of_graph,
                                   .token = environment.token});
    ArithmeticScores both =
        of_graph ? compared(scores, other.metrics) : compared(other.metrics, scores);
    if (both.differ) both.advice = saturation_advice(open);
    return both;
  } catch (const Cancelled&) {
    return std::nullopt;  // a user who has cancelled should not have to wait for this
  } catch (const Error& error) {
    say(environment.log, LogLevel::warning,
        fmt::format("a model could not be scored {}: {}",
                    of_graph ? "in this processor's arithmetic" : "as its graph says",
                    error.what()));
    return std::nullopt;
  }
}

ArithmeticScores compared(const std::map<std::string, double>& graph,
                          const std::map<std::string, double>& processor) {
  ArithmeticScores both;
  for (const auto& [name, score] : graph) {
    const auto found = processor.find(name);
    if (found == processor.end()) continue;
    both.graph[name] = score;
    both.processor[name] = found->second;
  }
  const std::string noise = metric_info(Metric::rel_l2).name;
  both.differ = both.graph.contains(noise) &&
                differs_by_more_than_rounding(both.processor.at(noise), both.graph.at(noise));
  return both;
}

}  // namespace quantsearch
