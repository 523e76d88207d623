#include "autosearch/arithmetic.h"

#include <fmt/core.h>

#include "quantsearch/base/error.h"
#include "quantsearch/evaluate/delivery_check.h"
#include "quantsearch/pipeline/quantize_model.h"

namespace quantsearch {

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
  try {
    const Scores other =
        evaluate(*made.model, delivery.reference, *environment.pool,
                 {.metrics = recorded_metrics(delivery.config.goals,
                                              delivery.reference.labels().has_value()),
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
