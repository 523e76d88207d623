#include "quantsearch/evaluate/delivery_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "evaluate/comparable_outputs.h"
#include "evaluate/latency.h"
#include "evaluate/metric_limits.h"
#include "evaluate/sample.h"
#include "evaluate/sample_metrics.h"
#include "evaluate/slices.h"
#include "quantsearch/internal/base/stopwatch.h"

namespace quantsearch {

namespace {

// Above this noise an output contains little of the float model's result (a tenth of its energy is
// noise).
constexpr double kDestroyed = 0.1;
// A model counts as slower only above both thresholds. Medians of a few pairs vary by some percent
// on a busy machine, and below 0.05 ms the runtime's cost per node dominates.
constexpr double kClearlySlower = 1.05;
constexpr double kClearlySlowerMs = 0.05;
// Integer kernels round where the graph does not. These are single steps, far below the noise of
// the quantization itself.
constexpr double kRoundingShare = 1.3;
constexpr double kRoundingFloor = 1e-5;
// Number of pairs that make a median meaningful, and the seconds after which no more are added,
// when samples are few and runs are short.
constexpr int kEnoughPairs = 20;
constexpr double kShortSeconds = 0.1;

/// The values of one output, one tensor for each sample.
struct Runs {
  std::vector<Tensor> of_float;
  std::vector<Tensor> quantized;
  std::vector<Tensor> graph;  // one per sample, or none
  std::string skipped;
};

std::string shape_difference(const Tensor& expected, const Tensor& got) {
  return fmt::format("its shape depends on the data: {} in float, {} quantized",
                     to_string(expected.shape()), to_string(got.shape()));
}

Sample whole(const Tensor& tensor) {
  return {.values = tensor.values<float>(), .shape = tensor.shape()};
}

/// Sets both to 0 where the float model's values are not finite, because those carry no signal.
/// Returns false when other values of `got` are not finite.
bool clean(Tensor& expected, Tensor& got) {
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (!std::ranges::all_of(expected.values<float>(), is_finite)) {
    const auto signal = expected.values<float>();
    std::vector<float> kept(signal.begin(), signal.end());
    const auto values = got.values<float>();
    std::vector<float> kept_got(values.begin(), values.end());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (!is_finite(kept[i])) kept[i] = kept_got[i] = 0;
    }
    expected = Tensor::of<float>(expected.shape(), kept);
    got = Tensor::of<float>(got.shape(), kept_got);
  }
  return std::ranges::all_of(got.values<float>(), is_finite);
}

struct Noise {
  double rel_l2 = 0;
  double worst_slice = 0;
};

/// A value that is not finite in the quantized model alone counts as the largest noise.
Noise noise_of(const ValueInfo& declared, std::vector<Tensor> expected, std::vector<Tensor> got) {
  SliceSurvey survey(declared);
  bool is_finite = true;
  Energies energies;
  for (std::size_t sample = 0; sample < expected.size(); ++sample) {
    is_finite = clean(expected[sample], got[sample]) && is_finite;
    if (!is_finite) return {.rel_l2 = kWorstRelative, .worst_slice = kWorstRelative};
    survey.add(whole(expected[sample]));
    const auto of_sample = measure_sample(whole(expected[sample]), whole(got[sample]), {}, {});
    energies.signal += of_sample->signal;
    energies.noise += of_sample->noise;
  }
  const OutputSlices slices = survey.slices();
  std::vector<double> noise(slices.energies.size());
  for (std::size_t sample = 0; sample < expected.size(); ++sample)
    add_slice_noise(slices, whole(expected[sample]), whole(got[sample]), noise);
  return {.rel_l2 = relative_noise(energies),
          .worst_slice = worst_relative_noise(slices.energies, noise)};
}

class Checker {
 public:
  Checker(const CheckedSessions& sessions, const DataSource& data,
          const DeliveryCheckOptions& options)
      : sessions_(sessions), data_(data), options_(options), runs_(sessions.outputs.size()) {}

  DeliveryCheck run() {
    const std::int64_t samples = std::clamp<std::int64_t>(options_.samples, 1, data_.size());
    compare(data_.read(0, 1));  // the first runs are slower, because they allocate
    std::int64_t done = 1;
    for (; done < samples && has_time(); ++done)
      compare(data_.read(done * data_.size() / samples, 1));
    const Batch again = data_.read(0, 1);
    while (pairs_.size() < 2 || (static_cast<int>(pairs_.size()) <= kEnoughPairs &&
                                 watch_.seconds() < kShortSeconds && has_time())) {
      (void)run_pair(again);
    }
    // The first pair is the warm-up and is left out.
    return {.samples = done,
            .outputs = noise(),
            .latency = summarize_pairs(std::span(pairs_).subspan(1))};
  }

 private:
  struct Pair {
    Batch expected;
    Batch got;
  };

  Batch timed(const Session& session, const Batch& inputs, double& milliseconds) const {
    const Stopwatch watch;
    Batch outputs = session.run(inputs, options_.token);
    milliseconds = 1000 * watch.seconds();
    return outputs;
  }

  /// The order alternates, so that neither model always runs with the caches that the other one
  /// left.
  Pair run_pair(const Batch& inputs) {
    Pair pair;
    double float_ms = 0;
    double quantized_ms = 0;
    const bool float_first = pairs_.size() % 2 == 1;
    if (float_first) pair.expected = timed(sessions_.float_model, inputs, float_ms);
    pair.got = timed(sessions_.quantized, inputs, quantized_ms);
    if (!float_first) pair.expected = timed(sessions_.float_model, inputs, float_ms);
    pairs_.emplace_back(float_ms, quantized_ms);
    return pair;
  }

  void compare(const Batch& inputs) {
    const Stopwatch watch;
    const Pair pair = run_pair(inputs);
    const Batch by_graph =
        sessions_.graph != nullptr ? sessions_.graph->run(inputs, options_.token) : Batch{};
    for (std::size_t index = 0; index < runs_.size(); ++index) {
      const std::string& name = sessions_.outputs[index].name;
      Runs& runs = runs_[index];
      const Tensor& expected = pair.expected.at(name);
      const Tensor& got = pair.got.at(name);
      if (expected.shape() != got.shape()) {
        runs.skipped = shape_difference(expected, got);
        continue;
      }
      runs.of_float.push_back(to_float32(expected));
      runs.quantized.push_back(to_float32(got));
      if (sessions_.graph != nullptr) runs.graph.push_back(to_float32(by_graph.at(name)));
    }
    longest_ = std::max(longest_, watch.seconds());
  }

  [[nodiscard]] bool has_time() const { return watch_.seconds() + longest_ <= options_.seconds; }

  [[nodiscard]] std::vector<OutputNoise> noise() const {
    std::vector<OutputNoise> result;
    for (std::size_t index = 0; index < runs_.size(); ++index) {
      const Runs& runs = runs_[index];
      const ValueInfo& declared = sessions_.outputs[index];
      OutputNoise output{.output = declared.name, .skipped = runs.skipped};
      if (runs.skipped.empty()) {
        const Noise noise = noise_of(declared, runs.of_float, runs.quantized);
        output.rel_l2 = noise.rel_l2;
        output.worst_slice = noise.worst_slice;
        if (sessions_.graph != nullptr)
          output.graph_rel_l2 = noise_of(declared, runs.of_float, runs.graph).rel_l2;
      }
      result.push_back(std::move(output));
    }
    return result;
  }

  const CheckedSessions& sessions_;
  const DataSource& data_;
  const DeliveryCheckOptions& options_;
  Stopwatch watch_;
  double longest_ = 0;  // duration of the longest comparison in seconds
  std::vector<Runs> runs_;
  std::vector<std::pair<double, double>> pairs_;
};

}  // namespace

bool differs_by_more_than_rounding(double rel_l2, double graph_rel_l2) {
  return rel_l2 > kRoundingShare * graph_rel_l2 + kRoundingFloor;
}

DeliveryCheck check_sessions(const CheckedSessions& sessions, const DataSource& data,
                             const DeliveryCheckOptions& options) {
  return Checker(sessions, data, options).run();
}

void prove_that_it_runs(const Model& quantized, const Batch& sample,
                        const CancellationToken& token) {
  (void)open_session(quantized)->run(sample, token);
}

DeliveryCheck check_delivery(const Model& float_model, const Model& quantized,
                             const DataSource& data, const DeliveryCheckOptions& options) {
  const Stopwatch watch;
  const std::vector<std::string> skipped = skipped_outputs(float_model);
  const Model compared = without_outputs(quantized, skipped);
  const auto of_quantized = open_session(compared);
  const auto of_graph =
      options.compare_with_graph ? open_session(compared, {.optimize = false}) : nullptr;
  const auto of_float = open_session(without_outputs(float_model, skipped));
  CheckedSessions sessions{
      .float_model = *of_float, .quantized = *of_quantized, .graph = of_graph.get(), .outputs = {}};
  std::ranges::copy_if(float_model.graph.outputs, std::back_inserter(sessions.outputs),
                       [&](const ValueInfo& output) {
                         return std::ranges::find(skipped, output.name) == skipped.end();
                       });
  DeliveryCheckOptions left = options;
  left.seconds -= watch.seconds();
  return check_sessions(sessions, data, left);
}

std::string saturation_advice(const OpenRemedies& open) {
  if (open.target_cpu)
    return open.reduce_range ? "; use target cpu, or reduce_range" : "; use target cpu";
  return open.reduce_range ? "; use reduce_range" : "";
}

namespace {

std::optional<std::string> saturation_warning(const OutputNoise& output, const OpenRemedies& open) {
  if (!output.graph_rel_l2 || !open.on_cpu) return std::nullopt;
  if (!differs_by_more_than_rounding(output.rel_l2, *output.graph_rel_l2)) return std::nullopt;
  return fmt::format(
      "output '{}' has the relative noise {:.3g} on this processor, and {:.3g} where the graph is "
      "computed as it says: its integer kernels saturate{}",
      output.output, output.rel_l2, *output.graph_rel_l2, saturation_advice(open));
}

std::optional<std::string> noise_warning(const OutputNoise& output, const OpenRemedies& open) {
  if (output.rel_l2 <= kDestroyed && output.worst_slice <= kDestroyed) return std::nullopt;
  const bool is_whole = output.rel_l2 > kDestroyed;
  std::string more;
  if (open.reconstruction) more += "include_fast_ft, ";
  if (open.wide_activations) more += "a wider activation_type (QUInt16), ";
  if (!more.empty()) more += "or ";
  return fmt::format(
      "output '{}' has the relative noise {:.3g}{}, above {}: little is left of it; try {}a "
      "search, "
      "which compares {}",
      output.output, is_whole ? output.rel_l2 : output.worst_slice,
      is_whole ? "" : " in its worst slice", kDestroyed, more,
      more.empty() ? "range methods and types" : "them");
}

std::optional<std::string> speed_warning(const PairedLatency& latency, const OpenRemedies& open) {
  const bool is_slower =
      latency.ratio > kClearlySlower && latency.quantized_ms - latency.float_ms > kClearlySlowerMs;
  if (!is_slower || !open.on_cpu) return std::nullopt;
  return fmt::format(
      "the quantized model takes {:.2f} times as long as the float model ({:.3g} ms against {:.3g} "
      "ms); try a search, which leaves operators float where that is faster on this machine{}",
      latency.ratio, latency.quantized_ms, latency.float_ms,
      open.fewer_operators
          ? ", or fewer operator types (op_types_to_quantize: [Conv, Gemm, MatMul])"
          : "");
}

}  // namespace

std::vector<std::string> delivery_warnings(const DeliveryCheck& check, const OpenRemedies& open) {
  std::vector<std::string> warnings;
  const auto add = [&warnings](std::optional<std::string> warning) {
    if (warning) warnings.push_back(*std::move(warning));
  };
  for (const OutputNoise& output : check.outputs) {
    add(saturation_warning(output, open));
    add(noise_warning(output, open));
  }
  add(speed_warning(check.latency, open));
  return warnings;
}

}  // namespace quantsearch
