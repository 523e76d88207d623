#include "quantsearch/pipeline/pipeline.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <map>

#include "pipeline/stage_keys.h"
#include "pipeline/stage_runner.h"
#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "quantsearch/version.h"

namespace quantsearch {

namespace {

void require_finite_weights(const Model& model) {
  const std::vector<std::string> bad = non_finite_weights(model);
  if (bad.empty()) return;
  throw InvalidInput(
      fmt::format("check: the model holds weights that are not finite: {}; expected finite "
                  "numbers, correct them or "
                  "export the model again",
                  fmt::join(bad, "; ")));
}

void require_bins(int bins) {
  if (bins >= 16 && bins <= 32768 && std::has_single_bit(static_cast<unsigned>(bins))) return;
  throw InvalidInput(fmt::format(
      "pipeline: histogram_bins is {}, expected a power of two from 16 to 32768", bins));
}

/// Constants of layers that stayed float are computed again where that makes the file smaller.
void restore_float_constants(Candidate& candidate, const std::vector<Recipe>& recipes) {
  if (recipes.empty()) return;
  auto smaller = std::make_shared<QuantizedModel>(*candidate.quantized);
  const int added = restore_computed_constants(smaller->model, recipes);
  if (added == 0) return;
  for (QuantizedLayer& layer : smaller->linear_layers) layer.node += added;
  candidate.quantized = std::move(smaller);
}

const std::string kOriginPrefix = "quantsearch.";

using Metadata = std::map<std::string, std::string>;

/// The metadata decide about the bytes of the file, so they say only what decides about the rest of
/// it: no processor, time, path or command line (docs/decisions/0014-a-model-says-its-origin.md).
Metadata with_origin(Metadata metadata, const ModelOrigin& origin,
                     const std::optional<std::uint64_t>& seed) {
  std::erase_if(metadata, [](const auto& entry) { return entry.first.starts_with(kOriginPrefix); });
  metadata[kOriginPrefix + "version"] = std::string(kVersion);
  metadata[kOriginPrefix + "runtime"] = runtime_version();
  metadata[kOriginPrefix + "float_model"] = origin.float_model;
  metadata[kOriginPrefix + "calibration"] = origin.calibration;
  metadata[kOriginPrefix + "calibration_samples"] = std::to_string(origin.samples);
  if (seed) metadata[kOriginPrefix + "seed"] = std::to_string(*seed);
  return metadata;
}

/// The stages pass on the metadata of the float model. A model that was calibrated with fewer
/// samples, or reconstructed, gets its own.
void correct_origin(Candidate& candidate, const ModelOrigin& origin,
                    const QuantizationConfig& config) {
  const Metadata& written = candidate.quantized->model.metadata;
  Metadata metadata = with_origin(
      written, origin, config.finetune ? std::optional(config.finetune->seed) : std::nullopt);
  if (metadata == written) return;
  auto corrected = std::make_shared<QuantizedModel>(*candidate.quantized);
  corrected->model.metadata = std::move(metadata);
  candidate.quantized = std::move(corrected);
}

}  // namespace

std::map<std::string, std::string> origin_metadata(const Model& model) {
  std::map<std::string, std::string> found;
  for (const auto& [key, text] : model.metadata) {
    if (key.starts_with(kOriginPrefix)) found.emplace(key.substr(kOriginPrefix.size()), text);
  }
  return found;
}

struct Pipeline::State : PipelineState {};

Pipeline::Pipeline(Model float_model, std::shared_ptr<const DataSource> calibration,
                   ThreadPool& pool, const ByteBudget& budget, const Options& options) {
  require_finite_weights(float_model);
  if (calibration == nullptr)
    throw InvalidInput("pipeline: got no calibration data, expected at least one sample");
  const Key model_key = content_key(float_model);
  const Key data_key = calibration->content_key();
  float_model.metadata = with_origin(std::move(float_model.metadata),
                                     {.float_model = model_key.hex(),
                                      .calibration = data_key.hex(),
                                      .samples = calibration->size()},
                                     std::nullopt);
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): make_unique cannot fill an aggregate
  state_.reset(new State{{.model = std::move(float_model),
                          .model_key = model_key,
                          .calibration = std::move(calibration),
                          .data_key = data_key,
                          .pool = pool,
                          .budget = budget,
                          .cache = StageCache(budget),
                          .log = options.log,
                          .cache_folder = options.cache_folder}});
}

Pipeline::~Pipeline() = default;

void StageRunner::run(Progress& progress, std::string_view end) {
  for (const Stage& stage : chain()) {
    if (stage.name == end) return;
    if (stage.is_on != nullptr && !stage.is_on(progress.config)) continue;
    token_.throw_if_cancelled();
    const std::vector<Key> keys = stage.keys(progress);
    if (stage.run != nullptr) {
      stage.run(*this, progress, keys);
    } else {
      stage.advance(progress, keys);
    }
  }
}

Candidate Pipeline::build(const QuantizationConfig& config, const CancellationToken& token,
                          ThreadPool* pool) {
  require_bins(config.histogram_bins);
  std::vector<StageRecord> records;
  Progress progress{.config = config, .data = state_->data_key, .model = state_->model_key};
  StageRunner(*state_, pool != nullptr ? *pool : state_->pool, token, records).run(progress);
  Candidate candidate = std::move(progress.candidate);
  restore_float_constants(candidate, progress.simplified->recipes);
  candidate.stages = std::move(records);
  candidate.key = content_key(candidate.quantized->model);
  correct_origin(candidate, origin(config), config);
  candidate.target = progress.config.quantize.target;
  return candidate;
}

void Pipeline::calibrate(const QuantizationConfig& config, const CancellationToken& token,
                         ThreadPool& pool) {
  require_bins(config.histogram_bins);
  std::vector<StageRecord> ignored;
  Progress progress{.config = config, .data = state_->data_key, .model = state_->model_key};
  StageRunner(*state_, pool, token, ignored).run(progress, "quantize");
}

ModelOrigin Pipeline::origin(const QuantizationConfig& config) const {
  const std::int64_t available = state_->calibration->size();
  const std::int64_t samples = std::min(available, config.calibration_samples.value_or(available));
  const std::lock_guard lock(state_->data_keys_mutex);
  const auto [found, is_new] = state_->data_keys.try_emplace(samples, state_->data_key);
  if (is_new && samples < available)
    found->second = subset(state_->calibration, 0, samples)->content_key();
  return {.float_model = state_->model_key.hex(),
          .calibration = found->second.hex(),
          .samples = samples};
}

SensitivityReport Pipeline::sensitivity(QuantizationConfig config,
                                        const SensitivityOptions& options,
                                        const CancellationToken& token) {
  require_bins(config.histogram_bins);
  config.precision.reset();
  config.finetune.reset();
  std::vector<StageRecord> ignored;
  Progress progress{
      .config = std::move(config), .data = state_->data_key, .model = state_->model_key};
  StageRunner(*state_, state_->pool, token, ignored).run(progress);
  return measure_sensitivity(*progress.float_model, progress.calibrated, progress.config.quantize,
                             state_->calibration, options,
                             {.pool = state_->pool,
                              .budget = state_->budget,
                              .spill_folder = state_->cache_folder,
                              .token = token,
                              .log = state_->log});
}

Explanation Pipeline::explain(QuantizationConfig config, const CancellationToken& token) {
  require_bins(config.histogram_bins);
  config.finetune.reset();
  std::vector<StageRecord> ignored;
  Progress progress{
      .config = std::move(config), .data = state_->data_key, .model = state_->model_key};
  StageRunner(*state_, state_->pool, token, ignored).run(progress);
  return {.float_model = progress.float_model,
          .quantized = progress.candidate.quantized,
          .statistics = state_->cache.held<Statistics>(progress.statistics)};
}

// Models for other targets may saturate on x86 processors without VNNI.
bool is_scored_as_graph(Target target) { return target != Target::cpu; }

bool is_timed_here(const QuantizationConfig& config, const Device& device) {
  return config.quantize.target != Target::npu_cnn && device == Device{};
}

Scores Pipeline::score(Candidate& candidate, const Reference& reference,
                       const EvaluateOptions& asked, ThreadPool* pool) {
  EvaluateOptions options = asked;
  options.exact_products = is_scored_as_graph(candidate.target);
  const auto compute = [&] {
    return evaluate(candidate.quantized->model, reference, pool != nullptr ? *pool : state_->pool,
                    options);
  };
  // A model that was given up in one race may win another, so these scores are not kept.
  const auto bytes_of_scores = [](const Scores& scores) {
    const auto bytes = static_cast<std::int64_t>(1000 + 8 * scores.losses.size());
    return scores.gave_up ? std::nullopt : std::optional(bytes);
  };
  return *state_->cache.get<Scores>("evaluate", evaluate_key(candidate.key, reference, options),
                                    compute, bytes_of_scores, candidate.stages, options.token);
}

std::shared_ptr<const Model> Pipeline::simplified(const SimplifyOptions& options) {
  std::vector<StageRecord> ignored;
  const CancellationToken token;
  const auto made = StageRunner(*state_, state_->pool, token, ignored)
                        .simplified(options, simplify_key(state_->model_key, options));
  return {made, &made->model};
}

void Pipeline::require_quantizable(const QuantizationConfig& config) {
  std::vector<StageRecord> ignored;
  const CancellationToken token;
  StageRunner runner(*state_, state_->pool, token, ignored);
  const auto made =
      runner.simplified(config.simplify, simplify_key(state_->model_key, config.simplify));
  quantsearch::require_quantizable(made->model, runner.accepted(config, *made).quantize);
}

CacheReport Pipeline::cache_report() const { return state_->cache.report(); }

const Key& Pipeline::model_key() const { return state_->model_key; }

}  // namespace quantsearch
