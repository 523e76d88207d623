#include "autosearch/layer_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "autosearch/setup.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/model/bodies.h"

namespace quantsearch {

namespace {

/// Bins of a histogram. Many small ones together keep results and report small.
std::int64_t bins_for(std::size_t tensors) {
  constexpr std::int64_t kMost = 48;
  constexpr std::int64_t kFewest = 12;
  constexpr std::int64_t kAllTogether = 12'000;
  return std::clamp(kAllTogether / std::max<std::int64_t>(1, static_cast<std::int64_t>(tensors)),
                    kFewest, kMost);
}

/// The counts of the statistics in at most `most` bins of one width, from the smallest value to the
/// largest. Whole bins are joined, so that the counts stay exact.
Value histogram_value(const TensorStatistics& statistics, std::int64_t most) {
  const Histogram& fine = statistics.histogram;
  const double width = fine.bin_width();
  const auto first = static_cast<std::int64_t>(std::floor(statistics.min / width));
  const auto last = static_cast<std::int64_t>(std::floor(statistics.max / width));
  const std::int64_t joined = (last - first) / most + 1;
  std::vector<std::int64_t> counts(static_cast<std::size_t>((last - first) / joined + 1));
  const auto add = [&](std::int64_t bin, std::uint64_t count) {
    const std::int64_t at = (std::clamp(bin, first, last) - first) / joined;
    counts[static_cast<std::size_t>(at)] += static_cast<std::int64_t>(count);
  };
  for (std::size_t bin = 0; bin < fine.positive.size(); ++bin)
    add(static_cast<std::int64_t>(bin), fine.positive[bin]);
  // The values of bin k are from -(k+1) to -k widths.
  for (std::size_t bin = 0; bin < fine.negative.size(); ++bin)
    add(-static_cast<std::int64_t>(bin) - 1, fine.negative[bin]);
  const double low = static_cast<double>(first) * width;
  return Value::Map{
      {"low", low},
      {"high", low + static_cast<double>(joined) * width * static_cast<double>(counts.size())},
      {"counts", Value::List(counts.begin(), counts.end())}};
}

/// The values that the integers of a tensor stand for.
Value range_value(const TensorParams& params) {
  const IntegerLimits limits = integer_limits(params.type, false);
  const double scale = params.scales.front();
  const std::int64_t zero = params.zero_points.front();
  return Value::Map{{"type", to_string(params.type)},
                    {"low", scale * static_cast<double>(limits.low - zero)},
                    {"high", scale * static_cast<double>(limits.high - zero)}};
}

/// The nodes of the main graph and of all bodies, in the order of the layer records. A name means
/// one tensor in the whole model, so that one table serves all graphs.
struct AllNodes {
  std::vector<const Node*> nodes;
  std::set<std::string, std::less<>> constants;
  std::map<std::string, std::size_t, std::less<>> producers;  // row of the node that makes a tensor

  explicit AllNodes(const Graph& graph) { add(graph); }

 private:
  void add(const Graph& graph) {
    for (const Initializer& initializer : graph.initializers) constants.insert(initializer.name);
    for (const Node& node : graph.nodes) {
      for (const std::string& output : node.outputs) producers.emplace(output, nodes.size());
      nodes.push_back(&node);
    }
    for (const BodyPlace& place : bodies_of(graph)) add(body_at(graph, place));
  }
};

class LayerTable {
 public:
  explicit LayerTable(const Explanation& made)
      : made_(made),
        all_(made.float_model->graph),
        bins_(bins_for(made.statistics == nullptr ? 0 : made.statistics->tensors.size())) {
    for (const LayerRecord& layer : made.quantized->layers) {
      rows_.emplace_back(Value::Map{{"node", layer.node},
                                    {"op_type", layer.op_type},
                                    {"quantized", layer.quantized},
                                    {"reason", layer.reason}});
    }
    for (std::size_t node = 0; node < rows_.size(); ++node) add_tensors(node);
  }

  void add_times(const std::vector<KernelCost>& costs) {
    constexpr double kMicroseconds = 1e6;
    for (const KernelCost& cost : costs) {
      Value& first = rows_[static_cast<std::size_t>(cost.nodes.front())];
      first.set("float_us", kMicroseconds * cost.float_seconds);
      first.set("quantized_us", kMicroseconds * cost.quantized_seconds);
      first.set("conversions_us", kMicroseconds * cost.conversion_seconds);
      for (const int node : cost.nodes) {
        if (node != cost.nodes.front())
          rows_[static_cast<std::size_t>(node)].set("fused_with", cost.nodes.front());
      }
    }
  }

  [[nodiscard]] Value rows() && { return std::move(rows_); }

 private:
  void add_tensors(std::size_t number) {
    const Node& node = *all_.nodes[number];
    Value& row = rows_[number];
    Value::List reads;
    for (const std::string& input : node.inputs) {
      if (const auto found = all_.producers.find(input); found != all_.producers.end())
        reads.emplace_back(static_cast<std::int64_t>(found->second));
      add_input(input, row);
    }
    row.set("reads", std::move(reads));
    if (!node.outputs.empty()) add_output(node.outputs.front(), row);
  }

  void add_input(const std::string& tensor, Value& row) const {
    const auto params = made_.quantized->tensors.find(tensor);
    if (params == made_.quantized->tensors.end()) return;
    const bool is_weight = all_.constants.contains(tensor);
    const char* const key = is_weight ? "weight_type" : "input_type";
    if (row.find(key) != nullptr) return;  // the first one counts: a bias follows its weight
    row.set(key, to_string(params->second.type));
    if (is_weight) row.set("per_channel", params->second.axis >= 0);
  }

  void add_output(const std::string& tensor, Value& row) const {
    if (const auto params = made_.quantized->tensors.find(tensor);
        params != made_.quantized->tensors.end())
      row.set("output", range_value(params->second));
    if (made_.statistics == nullptr) return;
    const auto seen = made_.statistics->tensors.find(tensor);
    if (seen == made_.statistics->tensors.end() || seen->second.count == 0) return;
    row.set("observed", Value::Map{{"min", static_cast<double>(seen->second.min)},
                                   {"max", static_cast<double>(seen->second.max)}});
    row.set("histogram", histogram_value(seen->second, bins_));
  }

  const Explanation& made_;
  AllNodes all_;
  std::int64_t bins_;
  Value::List rows_;
};

Value left_out(const std::string& reason) { return Value::Map{{"left_out", reason}}; }

constexpr const char* kCancelled = "the search was cancelled before its operators were described";

}  // namespace

Value describe_layers(const Delivery& delivery, BestProfile& best) {
  const CancellationToken& token = delivery.environment.token;
  const ExecutionConfig& execution = delivery.config.execution;
  if (token.is_cancelled()) return left_out(kCancelled);
  if (needs_workers(execution)) {
    return left_out(
        "trials ran in worker processes, and the process that ends the search builds no model; "
        "search in one process and on one device to see them");
  }
  try {
    LayerTable table(best.made());
    if (const std::vector<KernelCost>* const costs = best.costs()) table.add_times(*costs);
    return std::move(table).rows();
  } catch (const Cancelled&) {
    return left_out(kCancelled);
  } catch (const Error& error) {
    say(delivery.environment.log, LogLevel::warning,
        fmt::format("report: the operators of the best model are not described: {}", error.what()));
    return left_out(error.what());
  }
}

}  // namespace quantsearch
