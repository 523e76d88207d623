#include "evaluate/classification.h"

#include <fmt/core.h>

#include <algorithm>

#include "evaluate/sample_metrics.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

bool can_hold_classes(const ValueInfo& output) {
  if (!is_floating(output.type)) return false;
  if (!output.dimensions) return true;
  // The first axis counts the samples.
  const auto& axes = *output.dimensions;
  return !axes.empty() && std::any_of(axes.begin() + 1, axes.end(),
                                      [](const Dimension& axis) { return axis.size != 1; });
}

int cut_of(Metric metric) {
  if (metric == Metric::top1) return 1;
  if (metric == Metric::top5) return 5;
  throw InternalError("evaluate: a metric without labels was asked for its hits");
}

}  // namespace

bool is_row_of_classes(const Sample& logits) {
  const auto long_axes = std::count_if(logits.shape.begin(), logits.shape.end(),
                                       [](std::int64_t n) { return n != 1; });
  return !logits.values.empty() && !logits.shape.empty() && long_axes <= 1;
}

const std::string& output_of_classes(const Graph& graph, const std::vector<std::string>& outputs) {
  const auto found = std::ranges::find_if(outputs, [&](const std::string& name) {
    const auto value = std::ranges::find(graph.outputs, name, &ValueInfo::name);
    return value != graph.outputs.end() && can_hold_classes(*value);
  });
  return found == outputs.end() ? outputs.front() : *found;
}

std::int64_t rank_in_sample(const Sample& logits, const std::string& output, std::int64_t label,
                            std::int64_t sample) {
  if (!is_row_of_classes(logits)) {
    throw InvalidInput(fmt::format(
        "evaluate: output '{}' has shape {} for sample {}, expected [1, classes] for labels; name "
        "the output of the classes or leave the labels out",
        output, to_string(logits.shape), sample));
  }
  if (label < 0 || label >= static_cast<std::int64_t>(logits.values.size())) {
    // Exporters hide the classes in a sequence of maps, which cannot be compared.
    const char* const way_out =
        logits.values.size() > 1
            ? ""
            : "; expected an output with a number for each class (a model of scikit-learn has one "
              "when it is exported with zipmap off), or leave the labels out";
    throw InvalidInput(
        fmt::format("evaluate: label {} of sample {} is not one of the {} classes of output '{}'{}",
                    label, sample, logits.values.size(), output, way_out));
  }
  return rank_of_label(logits.values, label);
}

double share_of_hits(Metric metric, std::span<const std::int64_t> ranks) {
  const int cut = cut_of(metric);
  const auto hits =
      std::count_if(ranks.begin(), ranks.end(), [cut](std::int64_t rank) { return rank < cut; });
  return static_cast<double>(hits) / static_cast<double>(ranks.size());
}

bool any_needs_labels(std::span<const Metric> metrics) {
  return std::any_of(metrics.begin(), metrics.end(),
                     [](Metric metric) { return metric_info(metric).needs_labels; });
}

void require_labels(std::span<const Metric> metrics, const std::optional<Labels>& labels) {
  if (labels) return;
  for (const Metric metric : metrics) {
    if (metric_info(metric).needs_labels) {
      throw InvalidInput(fmt::format(
          "evaluate: metric '{}' needs labels and the data have none; give labels or another "
          "metric",
          metric_info(metric).name));
    }
  }
}

}  // namespace quantsearch
