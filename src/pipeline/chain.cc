#include "pipeline/chain.h"

#include "pipeline/stage_keys.h"
#include "pipeline/stage_runner.h"

namespace quantsearch {

namespace {

using Keys = std::vector<Key>;
using Config = QuantizationConfig;

bool absorbs(const Config& config) {
  return config.equalize && config.equalize->bias_absorption != BiasAbsorption::none;
}

void advance_model(Progress& progress, const Keys& keys) { progress.model = keys.front(); }
void advance_statistics(Progress& progress, const Keys& keys) {
  progress.statistics = keys.front();
}
void advance_ranges(Progress& progress, const Keys& keys) { progress.ranges = keys; }
void advance_quantized(Progress& progress, const Keys& keys) { progress.quantized = keys.front(); }

Keys observe_keys(const Progress& progress) {
  return {observe_key(progress.model, progress.data, progress.config)};
}

std::vector<Stage> float_stages() {
  return {
      {"simplify", nullptr,
       [](const Progress& progress) {
         return Keys{simplify_key(progress.model, progress.config.simplify)};
       },
       advance_model,
       [](StageRunner& runner, Progress& progress, const Keys& keys) {
         runner.simplify(progress, keys.front());
       }},
      {"equalize", [](const Config& config) { return config.equalize.has_value(); },
       [](const Progress& progress) {
         return Keys{equalize_key(progress.model, *progress.config.equalize)};
       },
       advance_model,
       [](StageRunner& runner, Progress& progress, const Keys& keys) {
         runner.equalize(progress, keys.front());
       }},
      {"observe_biases", absorbs,
       [](const Progress& progress) {
         return Keys{observe_biases_key(progress.model, progress.data, progress.config)};
       },
       advance_statistics, nullptr},
      {"absorb", absorbs,
       [](const Progress& progress) {
         return Keys{absorb_key(progress.model, progress.statistics,
                                progress.config.equalize->bias_absorption)};
       },
       advance_model,
       [](StageRunner& runner, Progress& progress, const Keys& keys) {
         runner.absorb(progress, keys.front());
       }},
      {"observe_float", [](const Config& config) { return config.smooth.has_value(); },
       observe_keys, advance_statistics, nullptr},
      {"smooth", [](const Config& config) { return config.smooth.has_value(); },
       [](const Progress& progress) {
         return Keys{smooth_key(progress.model, progress.statistics, *progress.config.smooth)};
       },
       advance_model,
       [](StageRunner& runner, Progress& progress, const Keys& keys) {
         runner.smooth(progress, keys.front());
       }},
  };
}

std::vector<Stage> integer_stages() {
  return {
      {"observe", nullptr, observe_keys, advance_statistics, nullptr},
      {"ranges", nullptr,
       [](const Progress& progress) { return ranges_keys(progress.statistics, progress.config); },
       advance_ranges,
       [](StageRunner& runner, Progress& progress, const Keys& keys) {
         runner.ranges(progress, keys);
       }},
      {"quantize", nullptr,
       [](const Progress& progress) {
         return Keys{quantize_key(progress.model, progress.ranges, progress.config.quantize)};
       },
       advance_quantized,
       [](StageRunner& runner, Progress& progress, const Keys& keys) {
         runner.quantize(progress, keys.front());
       }},
      {"precision", [](const Config& config) { return config.precision.has_value(); },
       [](const Progress& progress) {
         return Keys{precision_key(progress.quantized, progress.data, *progress.config.precision)};
       },
       [](Progress& progress, const Keys& keys) {
         progress.precision = keys.front();
         progress.quantized = keys.front();
       },
       [](StageRunner& runner, Progress& progress, const Keys& keys) {
         runner.precision(progress, keys.front());
       }},
      {"finish_precision",
       [](const Config& config) {
         return config.precision && config.precision->weights_reconstructed;
       },
       [](const Progress& progress) {
         return Keys{
             finish_precision_key(progress.precision, progress.data, *progress.config.finetune)};
       },
       advance_quantized,
       [](StageRunner& runner, Progress& progress, const Keys& keys) {
         runner.finish_precision(progress, keys.front());
       }},
      {"finetune", [](const Config& config) { return config.finetune.has_value(); },
       [](const Progress& progress) {
         return Keys{finetune_key(progress.quantized, progress.data, *progress.config.finetune)};
       },
       advance_quantized,
       [](StageRunner& runner, Progress& progress, const Keys& keys) {
         runner.finetune(progress, keys.front());
       }},
  };
}

}  // namespace

const std::vector<Stage>& chain() {
  static const std::vector<Stage> kStages = [] {
    std::vector<Stage> all = float_stages();
    for (const Stage& stage : integer_stages()) all.push_back(stage);
    return all;
  }();
  return kStages;
}

std::vector<Key> stage_keys(const Key& model, const Key& data, const QuantizationConfig& config) {
  Progress progress{.config = config, .data = data, .model = model};
  std::vector<Key> all;
  for (const Stage& stage : chain()) {
    if (stage.is_on != nullptr && !stage.is_on(config)) continue;
    const Keys keys = stage.keys(progress);
    all.insert(all.end(), keys.begin(), keys.end());
    stage.advance(progress, keys);
  }
  return all;
}

}  // namespace quantsearch
