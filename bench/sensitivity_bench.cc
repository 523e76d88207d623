// Times `sensitivity` with runs that begin after kept tensors against runs of whole models, and
// compares the two tables.
//
//   sensitivity_bench MODEL CALIBRATION [SAMPLES [PRESET]]

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include "guarded_main.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {
namespace {

struct Measured {
  SensitivityReport report;
  double seconds = 0;
};

Measured measure(Pipeline& pipeline, const QuantizationConfig& config,
                 const SensitivityOptions& options) {
  const Stopwatch watch;
  Measured measured{.report = pipeline.sensitivity(config, options, {})};
  measured.seconds = watch.seconds();
  fmt::print("{:<8}{:>9.2f} s{:>6} models{:>8.1f} % of their nodes{:>12} bytes kept\n",
             options.whole_models ? "whole" : "suffix", measured.seconds, measured.report.models,
             100 * measured.report.share_run, measured.report.kept_bytes);
  return measured;
}

double relative(double a, double b, double scale) { return std::abs(a - b) / scale; }

/// Of the noise of each layer; what is removed is compared with the noise it is removed from.
void compare(const SensitivityReport& whole, const SensitivityReport& suffix) {
  std::map<std::string, const LayerSensitivity*> rows;
  for (const LayerSensitivity& layer : whole.layers) rows[layer.node] = &layer;
  double added = 0;
  double removed = 0;
  for (const LayerSensitivity& layer : suffix.layers) {
    const LayerSensitivity& other = *rows.at(layer.node);
    if (other.added_noise > 0)
      added = std::max(added, relative(layer.added_noise, other.added_noise, other.added_noise));
    removed = std::max(removed,
                       relative(layer.removed_noise, other.removed_noise, whole.quantized_noise));
  }
  fmt::print("{} layers; largest relative difference: added {:.1e}, removed {:.1e}\n",
             whole.layers.size(), added, removed);
}

void run(int count, char** arguments) {
  ThreadPool pool(0);
  const ByteBudget budget(physical_memory_bytes() / 2);
  const Model model = load_model(arguments[1]);
  const LoadedData data = open_data(arguments[2], model);
  SensitivityOptions options;
  if (count > 3) options.samples = std::stoll(arguments[3]);
  const std::string preset = count > 4 ? arguments[4] : std::string(kDefaultPreset);
  const QuantizationConfig config = resolve(settings_from(Value(preset)));
  Pipeline pipeline(model, data.source, pool, budget, {});
  const Stopwatch watch;
  (void)pipeline.build(config, {});
  fmt::print("build   {:>9.2f} s\n", watch.seconds());
  const Measured suffix = measure(pipeline, config, options);
  options.whole_models = true;
  compare(measure(pipeline, config, options).report, suffix.report);
}

}  // namespace
}  // namespace quantsearch

int main(int count, char** arguments) {
  if (count < 3) {
    fmt::print(stderr, "usage: sensitivity_bench MODEL CALIBRATION [SAMPLES [PRESET]]\n");
    return 2;
  }
  return quantsearch::bench::guarded_main("sensitivity_bench", [&] {
    quantsearch::run(count, arguments);
    return 0;
  });
}
