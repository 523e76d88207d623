#include "quantsearch/pipeline/pipeline.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <set>

#include "pipeline/artefact_bytes.h"
#include "pipeline/stage_cache.h"
#include "pipeline/stage_keys.h"
#include "pipeline/user_names.h"
#include "quantsearch/base/error.h"
#include "quantsearch/equalize.h"
#include "quantsearch/quantize/quantized_already.h"
#include "quantsearch/transform.h"

namespace quantsearch {

namespace {

/// Of a model that may be the one it was made from.
template <typename Made>
std::int64_t bytes_if_changed(const Made& made) {
  return made.changed ? bytes_of(made.model) : std::int64_t{1000};
}

void require_finite_weights(const Model& model) {
  const std::vector<std::string> bad = non_finite_weights(model);
  if (bad.empty()) return;
  throw InvalidInput(
      fmt::format("check: the model holds weights that are not finite: {}; expected finite "
                  "numbers, mend them or "
                  "export the model again",
                  fmt::join(bad, "; ")));
}

/// Below it observing would take a pass for every few tensors.
constexpr std::int64_t kLeastTappedBytes = std::int64_t{64} << 20;

void require_bins(int bins) {
  if (bins >= 16 && bins <= 32768 && std::has_single_bit(static_cast<unsigned>(bins))) return;
  throw InvalidInput(fmt::format(
      "pipeline: histogram_bins is {}, expected a power of two from 16 to 32768", bins));
}

}  // namespace

struct Pipeline::State {
  Model model;
  Key model_key;
  std::shared_ptr<const DataSource> calibration;
  Key data_key;
  ThreadPool& pool;
  ByteBudget budget;
  StageCache cache;
  LogSink log;
  std::filesystem::path cache_folder;
  std::mutex said_mutex = {};
  std::set<std::string> said = {};  // notes about names, which every trial would repeat

  std::shared_ptr<const Simplified> run_simplify(const SimplifyOptions& options,
                                                 std::vector<StageRecord>& records,
                                                 const CancellationToken& token) {
    const auto compute = [&] {
      Simplified result = simplify(model, options);
      for (const PassRecord& pass : result.passes) {
        // What changes the function must not go unseen.
        const LogLevel level = pass.changes_function ? LogLevel::info : LogLevel::detail;
        for (const std::string& note : pass.notes)
          say(log, level, fmt::format("simplify: {}: {}", pass.name, note));
      }
      for (const std::string& warning : result.warnings)
        say(log, LogLevel::warning, "simplify: " + warning);
      for (const std::string& note : result.notes) say(log, LogLevel::info, "simplify: " + note);
      say(log, LogLevel::info,
          fmt::format("simplify: {} nodes became {}", model.graph.nodes.size(),
                      result.model.graph.nodes.size()));
      return result;
    };
    return cache.get<Simplified>(
        "simplify", simplify_key(model_key, options), compute,
        [](const Simplified& made) { return bytes_of(made.model); }, records, token);
  }

  /// As the stages behind simplify read it. Throws InvalidInput for a model that another quantizer
  /// has been at.
  QuantizationConfig accepted(const QuantizationConfig& config, const Simplified& simplified) {
    if (!config.requantize) require_float_activations(model);
    NamedConfig named = with_simplified_names(config, simplified);
    const std::scoped_lock lock(said_mutex);
    for (const std::string& note : named.notes) {
      if (said.insert(note).second) say(log, LogLevel::info, note);
    }
    return std::move(named.config);
  }

  /// One call of build(): what is asked for and with what.
  struct Trial {
    const QuantizationConfig& config;
    const CancellationToken& token;
    ThreadPool& pool;
    std::vector<StageRecord>& records;
  };

  /// The float model that is observed and quantized. An equalization that changed nothing leaves
  /// the simplified model and its key: what comes behind is the same work as without it.
  struct Prepared {
    std::shared_ptr<const Model> model;
    Key key;
  };

  Prepared prepare(const Trial& trial, const std::shared_ptr<const Simplified>& simplified) {
    Prepared equalized = run_equalize(trial, simplified);
    if (trial.config.equalize && trial.config.equalize->bias_absorption != BiasAbsorption::none) {
      equalized = run_absorb(equalized, trial);
    }
    return trial.config.smooth ? run_smooth(equalized, trial) : equalized;
  }

  Prepared run_equalize(const Trial& trial, const std::shared_ptr<const Simplified>& simplified) {
    const Prepared plain{.model = {simplified, &simplified->model},
                         .key = simplify_key(model_key, trial.config.simplify)};
    if (!trial.config.equalize) return plain;
    const Key key = equalize_key(plain.key, *trial.config.equalize);
    const auto compute = [&] {
      Equalized made = equalize(*plain.model, *trial.config.equalize);
      for (const std::string& note : made.notes) say(log, LogLevel::detail, "equalize: " + note);
      say(log, LogLevel::info,
          made.changed ? "equalize: done" : "equalize: the model has nothing to equalize");
      return made;
    };
    return changed_or(cache.get<Equalized>("equalize", key, compute, bytes_if_changed<Equalized>,
                                           trial.records, trial.token),
                      key, plain);
  }

  /// What stays as it was, when `made` changed nothing.
  template <typename Made>
  static Prepared changed_or(const std::shared_ptr<const Made>& made, const Key& key,
                             const Prepared& plain) {
    return made->changed ? Prepared{.model = {made, &made->model}, .key = key} : plain;
  }

  Prepared run_absorb(const Prepared& plain, const Trial& trial) {
    const BiasAbsorption absorption = trial.config.equalize->bias_absorption;
    const Key statistics_stage = observe_biases_key(plain.key, data_key, trial.config);
    const Key key = absorb_key(plain.key, statistics_stage, absorption);
    const auto compute = [&] {
      const auto statistics = run_observe("observe_biases", *plain.model,
                                          tensors_to_absorb(*plain.model), statistics_stage, trial);
      trial.token.throw_if_cancelled();
      Equalized made = absorb_biases(*plain.model, *statistics, absorption);
      for (const std::string& note : made.notes) say(log, LogLevel::detail, "absorb: " + note);
      if (!made.changed)
        say(log, LogLevel::info, "absorb: no channel stays above zero before its Relu");
      return made;
    };
    return changed_or(cache.get<Equalized>("absorb", key, compute, bytes_if_changed<Equalized>,
                                           trial.records, trial.token),
                      key, plain);
  }

  /// Observes the model it is given: the same stage as of a trial without smoothing.
  Prepared run_smooth(const Prepared& plain, const Trial& trial) {
    const Key statistics_stage = observe_key(plain.key, data_key, trial.config);
    const Key key = smooth_key(plain.key, statistics_stage, *trial.config.smooth);
    const auto compute = [&] {
      const auto statistics = run_observe(
          "observe_float", *plain.model, tensors_to_observe(*plain.model), statistics_stage, trial);
      trial.token.throw_if_cancelled();
      Smoothed made = smooth(*plain.model, *statistics, *trial.config.smooth);
      for (const std::string& note : made.notes) say(log, LogLevel::detail, "smooth: " + note);
      if (!made.changed) say(log, LogLevel::info, "smooth: no tensor was worth it");
      return made;
    };
    return changed_or(cache.get<Smoothed>("smooth", key, compute, bytes_if_changed<Smoothed>,
                                          trial.records, trial.token),
                      key, plain);
  }

  std::shared_ptr<const Statistics> run_observe(const std::string& stage, const Model& prepared,
                                                std::vector<std::string> tensors, const Key& key,
                                                const Trial& trial) {
    const auto compute = [&] {
      return observe(prepared, *calibration, trial.pool,
                     {.tensors = std::move(tensors),
                      .bins = trial.config.histogram_bins,
                      .samples = trial.config.calibration_samples,
                      .memory_bytes = std::max(kLeastTappedBytes, budget.free() / 2),
                      .token = trial.token,
                      .log = log});
    };
    return cache.get<Statistics>(
        stage, key, compute, [](const Statistics& made) { return bytes_of(made); }, trial.records,
        trial.token);
  }

  /// What every reconstruction of the same float model compares with.
  std::shared_ptr<const FloatActivations> run_activations(const Prepared& prepared,
                                                          const std::vector<std::string>& tensors,
                                                          std::int64_t samples,
                                                          const FinetuneEnvironment& environment,
                                                          const Trial& trial) {
    const auto compute = [&] {
      return float_activations(*prepared.model, *calibration, tensors, samples, environment);
    };
    return cache.get<FloatActivations>(
        "activations", activations_key(prepared.key, data_key, tensors, samples), compute,
        [](const FloatActivations& made) { return bytes_of(made); }, trial.records, trial.token);
  }

  std::shared_ptr<const FinetunedModel> run_finetune(const Prepared& prepared,
                                                     const QuantizedModel& quantized,
                                                     const Key& key, const Trial& trial) {
    const auto compute = [&] {
      FinetuneOptions options = *trial.config.finetune;
      options.reduce_range = trial.config.quantize.reduce_range;
      options.power_of_two = trial.config.quantize.power_of_two;
      FinetuneEnvironment environment = {.pool = trial.pool,
                                         .budget = budget,
                                         .cache_folder = cache_folder,
                                         .token = trial.token,
                                         .log = log};
      environment.activations = [&](const std::vector<std::string>& tensors, std::int64_t samples) {
        return run_activations(prepared, tensors, samples, environment, trial);
      };
      return finetune(quantized, *prepared.model, *calibration, options, environment);
    };
    return cache.get<FinetunedModel>(
        "finetune", key, compute,
        [](const FinetunedModel& made) { return bytes_of(made.quantized.model); }, trial.records,
        trial.token);
  }

  std::shared_ptr<const PrecisionResult> run_precision(const Model& reference,
                                                       const CalibrationResult& calibrated,
                                                       const Key& key, const Trial& trial) {
    const auto compute = [&] {
      return choose_precision(reference, calibrated, trial.config.quantize, calibration,
                              *trial.config.precision,
                              {.pool = trial.pool,
                               .budget = budget,
                               .spill_folder = cache_folder,
                               .token = trial.token,
                               .log = log});
    };
    return cache.get<PrecisionResult>(
        "precision", key, compute,
        [](const PrecisionResult& made) { return bytes_of(made.quantized.model); }, trial.records,
        trial.token);
  }

  /// Every model that is reconstructed on the way is an artefact of the finetune stage, the last
  /// one among them.
  std::shared_ptr<const PrecisionResult> run_finish_precision(const Prepared& prepared,
                                                              const CalibrationResult& calibrated,
                                                              const PrecisionResult& chosen,
                                                              const Key& precision_stage,
                                                              const Trial& trial) {
    const FinishModel finish =
        [&](const QuantizedModel& quantized) -> std::shared_ptr<const QuantizedModel> {
      const auto tuned = run_finetune(prepared, quantized,
                                      finetune_key(mixed_key(precision_stage, quantized.model),
                                                   data_key, *trial.config.finetune),
                                      trial);
      return {tuned, &tuned->quantized};
    };
    const auto compute = [&] {
      return finish_precision(*prepared.model, calibrated, trial.config.quantize, calibration,
                              *trial.config.precision, chosen, finish,
                              {.pool = trial.pool,
                               .budget = budget,
                               .spill_folder = cache_folder,
                               .token = trial.token,
                               .log = log});
    };
    return cache.get<PrecisionResult>(
        "finish_precision", finish_precision_key(precision_stage, data_key, *trial.config.finetune),
        compute, [](const PrecisionResult& made) { return bytes_of(made.quantized.model); },
        trial.records, trial.token);
  }

  std::shared_ptr<const Statistics> run_statistics(const Model& prepared, const Key& statistics_key,
                                                   const Trial& trial) {
    return run_observe("observe", prepared, tensors_to_observe(prepared), statistics_key, trial);
  }

  /// What of the statistics the stages after the ranges read.
  struct Digest {
    ExtremesByTensor extremes;
    Facts facts;
  };

  /// A few numbers of each tensor, kept apart from the statistics, which may be too large to be
  /// kept. No stage of its own in the trial's records. `held`: the statistics, where they are at
  /// hand.
  std::shared_ptr<const Digest> run_digest(const Model& prepared, const Key& statistics_key,
                                           const Trial& trial,
                                           std::shared_ptr<const Statistics> held = nullptr) {
    std::vector<StageRecord> unrecorded;
    const auto compute = [&] {
      if (held == nullptr) held = run_statistics(prepared, statistics_key, trial);
      Digest digest{.extremes = extremes_of(*held), .facts = facts_of(*held, prepared.graph)};
      say_facts(digest.facts);
      return digest;
    };
    const auto bytes = [](const Digest& made) {
      return bytes_of(made.extremes) + static_cast<std::int64_t>(made.facts.size()) * 100;
    };
    return cache.get<Digest>("digest", digest_key(statistics_key), compute, bytes, unrecorded,
                             trial.token);
  }

  void say_facts(const Facts& facts) const {
    if (std::ranges::none_of(facts, [](const auto& entry) { return entry.second.has_no_range(); }))
      return;
    const auto count = [&](const auto& has) {
      return std::ranges::count_if(facts, [&](const auto& entry) { return has(entry.second); });
    };
    const auto is_not_finite = [](const TensorFacts& fact) {
      return fact.nan_count + fact.infinite_count > 0;
    };
    say(log, LogLevel::info,
        fmt::format("observe: {} tensors held NaN or infinity, {} hold a mask, {} had no values",
                    count(is_not_finite), count([&](const TensorFacts& fact) {
                      return fact.mask && !is_not_finite(fact);
                    }),
                    count([](const TensorFacts& fact) { return fact.is_empty; })));
  }

  /// Of the model without chosen formats.
  std::shared_ptr<const QuantizedModel> run_quantize(const Prepared& prepared,
                                                     const CalibrationResult& calibrated,
                                                     const Key& key, const Trial& trial) {
    const auto compute = [&] {
      quantsearch::require_quantizable(*prepared.model, trial.config.quantize);
      return quantize(*prepared.model, calibrated, trial.config.quantize, trial.pool);
    };
    return cache.get<QuantizedModel>(
        "quantize", key, compute, [](const QuantizedModel& made) { return bytes_of(made.model); },
        trial.records, trial.token);
  }

  RangesByType run_ranges(const Model& prepared, const Key& statistics_key, const Trial& trial) {
    RangesByType by_type;
    for (const auto& [type, options] : ranges_by_type(trial.config)) {
      const Key key = ranges_key(statistics_key, options);
      // By value: a structured binding cannot be captured. Ranges that are held need no statistics.
      const auto compute = [this, &prepared, &statistics_key, &trial,
                            effective = effective_range_options(options)]() mutable {
        const auto statistics = run_statistics(prepared, statistics_key, trial);
        (void)run_digest(prepared, statistics_key, trial, statistics);
        for (auto& [tensor, own] : effective.tensors) {
          own.statistics_of = observed_source(prepared, tensor).value_or(tensor);
        }
        return choose_ranges(*statistics, effective, trial.pool);
      };
      const bool is_main = type == trial.config.quantize.activation_type;
      by_type[type] = *cache.get<Ranges>(
          is_main ? "ranges" : fmt::format("ranges ({})", to_string(type)), key, compute,
          [](const Ranges& made) { return static_cast<std::int64_t>(made.size()) * 100; },
          trial.records, trial.token);
    }
    return by_type;
  }
};

Pipeline::Pipeline(Model float_model, std::shared_ptr<const DataSource> calibration,
                   ThreadPool& pool, const ByteBudget& budget, const Options& options) {
  require_finite_weights(float_model);
  if (calibration == nullptr)
    throw InvalidInput("pipeline: got no calibration data, expected at least one sample");
  const Key model_key = content_key(float_model);
  const Key data_key = calibration->content_key();
  state_.reset(new State{.model = std::move(float_model),
                         .model_key = model_key,
                         .calibration = std::move(calibration),
                         .data_key = data_key,
                         .pool = pool,
                         .budget = budget,
                         .cache = StageCache(budget),
                         .log = options.log,
                         .cache_folder = options.cache_folder});
}

Pipeline::~Pipeline() = default;

Candidate Pipeline::build(const QuantizationConfig& asked, const CancellationToken& token,
                          ThreadPool* pool) {
  require_bins(asked.histogram_bins);
  State& state = *state_;
  Candidate candidate;
  const auto simplified = state.run_simplify(asked.simplify, candidate.stages, token);
  QuantizationConfig config = state.accepted(asked, *simplified);
  const State::Trial trial{.config = config,
                           .token = token,
                           .pool = pool != nullptr ? *pool : state.pool,
                           .records = candidate.stages};
  const State::Prepared prepared = state.prepare(trial, simplified);
  const Key statistics_stage = observe_key(prepared.key, state.data_key, config);
  token.throw_if_cancelled();
  CalibrationResult calibrated{.ranges =
                                   state.run_ranges(*prepared.model, statistics_stage, trial)};
  token.throw_if_cancelled();
  const auto digest = state.run_digest(*prepared.model, statistics_stage, trial);
  if (config.quantize.target == Target::cpu) calibrated.extremes = digest->extremes;
  // The keys of ranges stand for the extremes and the facts, too.
  Key quantized_stage =
      quantize_key(prepared.key, ranges_keys(statistics_stage, config), config.quantize);
  config.quantize.facts = digest->facts;
  if (config.precision) {
    const Key precision_stage = precision_key(quantized_stage, state.data_key, *config.precision);
    auto chosen = state.run_precision(*prepared.model, calibrated, precision_stage, trial);
    if (config.precision->weights_reconstructed) {
      token.throw_if_cancelled();
      chosen = state.run_finish_precision(prepared, calibrated, *chosen, precision_stage, trial);
    }
    quantized_stage = mixed_key(precision_stage, chosen->quantized.model);
    candidate.quantized = {chosen, &chosen->quantized};
    candidate.precision = chosen->layers;
    candidate.node_formats = chosen->node_formats;
  } else {
    candidate.quantized = state.run_quantize(prepared, calibrated, quantized_stage, trial);
  }
  if (config.finetune) {
    token.throw_if_cancelled();
    const auto tuned =
        state.run_finetune(prepared, *candidate.quantized,
                           finetune_key(quantized_stage, state.data_key, *config.finetune), trial);
    candidate.quantized = {tuned, &tuned->quantized};
    candidate.reconstruction = tuned->layers;
  }
  candidate.key = content_key(candidate.quantized->model);
  candidate.target = config.quantize.target;
  return candidate;
}

// On x86 without VNNI such a model would saturate here.
bool is_scored_as_graph(Target target) { return target != Target::cpu; }

Scores Pipeline::score(Candidate& candidate, const Reference& reference,
                       const EvaluateOptions& asked, ThreadPool* pool) {
  EvaluateOptions options = asked;
  options.exact_products = is_scored_as_graph(candidate.target);
  const auto compute = [&] {
    return evaluate(candidate.quantized->model, reference, pool != nullptr ? *pool : state_->pool,
                    options);
  };
  // What was given up in one race may win the next.
  const auto bytes_of_scores = [](const Scores& scores) {
    const auto bytes = static_cast<std::int64_t>(1000 + 8 * scores.losses.size());
    return scores.gave_up ? std::nullopt : std::optional(bytes);
  };
  return *state_->cache.get<Scores>("evaluate", evaluate_key(candidate.key, reference, options),
                                    compute, bytes_of_scores, candidate.stages, options.token);
}

std::shared_ptr<const Model> Pipeline::simplified(const SimplifyOptions& options) {
  std::vector<StageRecord> ignored;
  const std::shared_ptr<const Simplified> made = state_->run_simplify(options, ignored, {});
  return {made, &made->model};
}

void Pipeline::require_quantizable(const QuantizationConfig& config) {
  std::vector<StageRecord> ignored;
  const std::shared_ptr<const Simplified> made = state_->run_simplify(config.simplify, ignored, {});
  quantsearch::require_quantizable(made->model, state_->accepted(config, *made).quantize);
}

CacheReport Pipeline::cache_report() const { return state_->cache.report(); }

const Key& Pipeline::model_key() const { return state_->model_key; }

}  // namespace quantsearch
