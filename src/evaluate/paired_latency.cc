#include "quantsearch/evaluate/paired_latency.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "evaluate/latency.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/internal/model/bodies.h"

namespace quantsearch {

namespace {

// Integer constants up to this number of values are shapes, axes and the like, which determine the
// work; longer ones are tables.
constexpr std::int64_t kSmallConstant = 64;
constexpr double kTwoSided95 = 0.98;  // 1.96 / 2

/// The type and the shape of a tensor in place of its values.
std::shared_ptr<const Tensor> outline_of(const Tensor& tensor) {
  std::vector<std::int64_t> outline(tensor.shape().begin(), tensor.shape().end());
  outline.push_back(static_cast<std::int64_t>(tensor.type()));
  const auto length = static_cast<std::int64_t>(outline.size());
  return std::make_shared<const Tensor>(Tensor::of<std::int64_t>({length}, outline));
}

bool determines_work(const Tensor& tensor) {
  return tensor.type() == DataType::int64 && tensor.size() <= kSmallConstant;
}

void keep_outlines(Graph& graph) {
  for (Initializer& initializer : graph.initializers) {
    if (!determines_work(*initializer.tensor)) initializer.tensor = outline_of(*initializer.tensor);
  }
  for (const BodyPlace& place : bodies_of(graph)) {
    Graph body = body_at(graph, place);
    keep_outlines(body);
    set_body(graph, place, std::move(body));
  }
}

std::int64_t conversions_in(const Graph& graph) {
  std::set<std::string_view> stored;
  for (const Initializer& initializer : graph.initializers) stored.insert(initializer.name);
  std::int64_t count = 0;
  for (const Node& node : graph.nodes) {
    const bool converts = node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear";
    if (converts && !stored.contains(node.input(0))) ++count;
  }
  for (const BodyPlace& place : bodies_of(graph)) count += conversions_in(body_at(graph, place));
  return count;
}

double timed(const Session& session, const Batch& input, const CancellationToken& token) {
  const Stopwatch watch;
  (void)session.run(input, token);
  return 1000 * watch.seconds();
}

bool is_narrow(const PairedLatency& latency) {
  constexpr double kNarrow = 1.05;
  return latency.ratio_high <= kNarrow * latency.ratio_low;
}

/// Sets the ends of the confidence interval of the median of the sorted ratios.
void set_interval(PairedLatency& latency, const std::vector<double>& sorted) {
  const auto last = static_cast<std::int64_t>(sorted.size()) - 1;
  const auto count = static_cast<double>(sorted.size());
  const auto rank =
      static_cast<std::int64_t>(std::floor(count / 2 - kTwoSided95 * std::sqrt(count)));
  const std::int64_t low = std::clamp<std::int64_t>(rank, 0, last);
  latency.ratio_low = sorted[static_cast<std::size_t>(low)];
  latency.ratio_high = sorted[static_cast<std::size_t>(last - low)];
}

}  // namespace

PairedLatency summarize_pairs(std::span<const std::pair<double, double>> pairs) {
  std::vector<double> of_float;
  std::vector<double> of_quantized;
  std::vector<double> ratios;
  for (const auto& [float_ms, quantized_ms] : pairs) {
    of_float.push_back(float_ms);
    of_quantized.push_back(quantized_ms);
    ratios.push_back(quantized_ms / std::max(float_ms, 1e-6));  // the resolution of a clock
  }
  std::ranges::sort(ratios);
  PairedLatency latency{.float_ms = summarize_times(std::move(of_float)).median_ms,
                        .quantized_ms = summarize_times(std::move(of_quantized)).median_ms,
                        .ratio = summarize_times(ratios).median_ms,
                        .pairs = static_cast<int>(pairs.size())};
  set_interval(latency, ratios);
  return latency;
}

PairedLatency measure_pairs(const Session& float_model, const Session& quantized,
                            const Batch& input, const LatencyOptions& options,
                            double most_seconds) {
  for (int run = 0; run < options.warmup_runs; ++run) {
    (void)float_model.run(input, options.token);
    (void)quantized.run(input, options.token);
  }
  std::vector<std::pair<double, double>> pairs;
  const Stopwatch all;
  const auto is_enough = [&] {
    if (!has_run_enough(options, all.seconds(), static_cast<int>(pairs.size()))) return false;
    return all.seconds() >= most_seconds || is_narrow(summarize_pairs(pairs));
  };
  do {
    std::pair<double, double>& pair = pairs.emplace_back();
    const bool float_first = pairs.size() % 2 == 1;
    if (float_first) pair.first = timed(float_model, input, options.token);
    pair.second = timed(quantized, input, options.token);
    if (!float_first) pair.first = timed(float_model, input, options.token);
  } while (!is_enough());
  return summarize_pairs(pairs);
}

Key kernel_key(const Model& model) {
  Model outline = model;
  outline.metadata.clear();
  keep_outlines(outline.graph);
  return content_key(outline);
}

std::int64_t conversions_of(const Model& model) { return conversions_in(model.graph); }

}  // namespace quantsearch
