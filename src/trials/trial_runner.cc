#include "trials/trial_runner.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "trials/built_details.h"

namespace quantsearch {

namespace {

/// Logs the nodes of a model that stay float, with one line per reason. Most trials have the same
/// plan, so the lines do not name the trial: the log shows equal ones once.
void log_float_layers(const LogSink& log, const QuantizedModel& quantized) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const LayerRecord& layer : quantized.layers) {
    if (!layer.reason.empty()) by_reason[layer.reason].push_back(layer.node);
  }
  constexpr std::size_t kNamed = 3;
  for (const auto& [reason, nodes] : by_reason) {
    say(log, LogLevel::detail, fmt::format("plan: {}: {}", reason, some_of(nodes, kNamed)));
  }
}

}  // namespace

Settings settings_of(const Settings& base, const Point& point) {
  Settings settings = base;
  for (const auto& [name, value] : point) settings[name] = value;
  return settings;
}

int share_of(int threads, int jobs, int job) {
  return std::max(1, threads / jobs + (job < threads % jobs ? 1 : 0));
}

JobPools::JobPools(int jobs, int threads, const ByteBudget& budget, std::int64_t trial_bytes) {
  for (int job = 0; job < jobs; ++job) {
    ByteBudget::Reservation reservation = budget.try_reserve(trial_bytes);
    if (!reservation && job > 0) break;
    memory_.push_back(std::move(reservation));
  }
  const int fitting = static_cast<int>(memory_.size());
  for (int job = 0; job < fitting; ++job) {
    pools_.push_back(std::make_unique<ThreadPool>(share_of(threads, fitting, job)));
  }
  free_.emplace(pools_.size());
}

Latency trial_latency(const Model& model, const Reference& reference,
                      const CancellationToken& token) {
  return measure_latency(model, reference.data().read(0, 1),
                         {.seconds = 0.05, .device = reference.device(), .token = token});
}

LatencyRatio to_ratio(const PairedLatency& latency) {
  return {.ratio = latency.ratio,
          .low = latency.ratio_low,
          .high = latency.ratio_high,
          .float_ms = latency.float_ms};
}

EvaluateOptions TrialRunner::evaluate_options(const CancellationToken& token) const {
  return {
      .metrics = recorded_metrics(context_.goal_config, context_.reference.labels().has_value()),
      .output_weights = context_.goal_config.output_weights,
      .losses_of = context_.race && !context_.race->to_tolerance
                       ? std::optional(context_.race->metric)
                       : std::nullopt,
      .token = token};
}

class TrialRunner::Product final : public BuiltProduct {
 public:
  Product(std::shared_ptr<const QuantizedModel> quantized, Settings settings)
      : quantized_(std::move(quantized)), settings_(std::move(settings)) {}
  BuiltModel load() const override {
    return {.model = std::shared_ptr<const Model>(quantized_, &quantized_->model),
            .settings = settings_};
  }
  std::int64_t bytes() const override { return weight_bytes(quantized_->model.graph); }

 private:
  std::shared_ptr<const QuantizedModel> quantized_;
  Settings settings_;
};

TrialRunner::Product TrialRunner::product_of(const Candidate& candidate, Settings settings) {
  if (!candidate.precision.empty())
    settings = with_node_formats(std::move(settings), candidate.node_formats);
  return {candidate.quantized, std::move(settings)};
}

std::vector<double> TrialRunner::losses_of(const Trial& incumbent, ThreadPool& pool,
                                           const CancellationToken& token) {
  {
    const std::lock_guard lock(mutex_);
    if (losses_number_ == incumbent.number) return losses_;
  }
  Candidate candidate = context_.pipeline.build(resolve(settings_of(incumbent)), token, &pool);
  std::vector<double> losses =
      context_.pipeline.score(candidate, context_.reference, evaluate_options(token), &pool).losses;
  const std::lock_guard lock(mutex_);
  losses_number_ = incumbent.number;
  losses_ = losses;
  return losses;
}

Scores TrialRunner::score(Candidate& candidate, const TrialRequest& request,
                          std::optional<Race>& race, ThreadPool& pool) {
  EvaluateOptions options = evaluate_options(request.token);
  if (context_.race && context_.race->to_tolerance) {
    if (request.incumbent && request.incumbent->is_candidate && is_feasible(*request.incumbent))
      stop_beyond_tolerance(options);
  } else if (context_.race && request.incumbent) {
    race.emplace(losses_of(*request.incumbent, pool, request.token),
                 RaceOptions{.error_rate = context_.race->error});
    options.go_on = [&race](std::span<const double> losses) {
      return race->add(losses) == RaceDecision::go_on;
    };
  }
  Scores scores = context_.pipeline.score(candidate, context_.reference, options, &pool);
  if (context_.evaluator) {
    const Stopwatch watch;
    scores.metrics.merge(custom_scores(*context_.evaluator, context_.goals.names(),
                                       candidate.quantized->model, request.token));
    candidate.stages.push_back({.name = "custom", .seconds = watch.seconds(), .cached = false});
  }
  return scores;
}

void TrialRunner::stop_beyond_tolerance(EvaluateOptions& options) const {
  if (const auto least = context_.acceptance.accuracy_limit()) {
    options.losses_of = context_.race->metric;
    const auto samples = static_cast<double>(context_.reference.data().size());
    options.go_on = [misses = 0.0, most = samples * (1 - *least) *
                                          (1 + 1e-12)](std::span<const double> losses) mutable {
      for (const double loss : losses) misses += loss;
      return misses <= most;
    };
    return;
  }
  options.limits = context_.acceptance.distance_limits();
  std::erase_if(options.limits, [&options](const auto& limit) {
    return std::ranges::find(options.metrics, limit.first) == options.metrics.end();
  });
}

TrialPruned TrialRunner::beyond_tolerance(const Candidate& candidate) const {
  return {.value = std::nullopt,
          .reason = fmt::format("given up: whatever the samples that were left out give, it can no "
                                "longer have {}",
                                context_.acceptance.rule()),
          .details = to_value(TrialDetails{.stages = stage_results(candidate.stages)})};
}

TrialPruned TrialRunner::pruned(const Candidate& candidate, const Race& race,
                                const Trial& incumbent) const {
  const ObjectiveName& objective = context_.goals.objectives().front();
  const double mean = race.estimate().mean;
  const double value = objective.goal == Goal::minimize                  ? mean
                       : metric_info(context_.race->metric).needs_labels ? 1 - mean
                                                                         : -mean;
  return {
      .value = value,
      .reason = fmt::format(
          "given up after {} of {} samples: {} is about {:.6g}, which does not beat trial {}",
          race.seen(), context_.reference.data().size(), objective.name, value, incumbent.number),
      .details = to_value(TrialDetails{.stages = stage_results(candidate.stages)})};
}

void TrialRunner::measure_speed(const Model& quantized, TrialDetails& details,
                                const CancellationToken& token) {
  const std::unique_lock alone(latency_gate_);
  if (context_.wait_until_alone) context_.wait_until_alone();
  if (!latency_check_) {
    latency_check_.emplace(context_.float_model, context_.reference.data().read(0, 1),
                           SessionOptions{.threads = context_.goal_config.latency_threads,
                                          .device = context_.reference.device()});
  }
  const PairedLatency latency = latency_check_->measure(quantized, token);
  details.latency_ms = latency.quantized_ms;
  details.latency_ratio = to_ratio(latency);
}

TrialOutcome TrialRunner::run(const TrialRequest& request) {
  try {
    return build_and_score(request);
  } catch (const PrunedByEvaluator& pruned) {
    return TrialPruned{.value = std::nullopt, .reason = pruned.what(), .details = {}};
  }
}

TrialOutcome TrialRunner::build_and_score(const TrialRequest& request) {
  const JobPools::Lease lease(pools_);
  std::shared_lock at_work(latency_gate_);
  std::optional<Race> race;
  Scores scores;
  const Settings settings = quantsearch::settings_of(context_.base, request.point);
  const RunnableCandidate made = build_runnable(
      settings,
      [&](const QuantizationConfig& config) {
        return context_.pipeline.build(config, request.token, &lease.pool());
      },
      [&](Candidate& tried) { scores = score(tried, request, race, lease.pool()); });
  const Candidate& candidate = made.candidate;
  log_float_layers(context_.log, *candidate.quantized);
  for (const LeftFloat& left : made.left_float)
    say(context_.log, LogLevel::info, fmt::format("trial {}: {}", request.number, to_string(left)));
  if (scores.gave_up) {
    return race ? pruned(candidate, *race, *request.incumbent) : beyond_tolerance(candidate);
  }
  at_work.unlock();
  if (SearchGoals::needs_latency(context_.goal_config)) {
    const std::unique_lock alone(latency_gate_);
    if (context_.wait_until_alone) context_.wait_until_alone();
    scores.latency = trial_latency(candidate.quantized->model, context_.reference, request.token);
  }
  const std::vector<double> violations = context_.goals.violations(scores);
  const bool keeps_limits =
      std::ranges::all_of(violations, [](double violation) { return violation <= 0; });
  const bool is_candidate = keeps_limits && context_.acceptance.accepts(scores.metrics);
  TrialDetails details = details_of(scores, made);
  // Only candidates compete for speed.
  if (is_candidate && context_.goal_config.goal == SearchGoal::fastest)
    measure_speed(candidate.quantized->model, details, request.token);
  return TrialSuccess{.value = scores.metrics.at(context_.goals.objectives().front().name),
                      .is_candidate = is_candidate,
                      .details = to_value(details),
                      .objectives = context_.goals.values(scores),
                      .constraints = violations,
                      .product = std::make_shared<const Product>(product_of(
                          candidate, with_excluded_nodes(settings, all_nodes(made.left_float))))};
}

Settings TrialRunner::settings_of(const Trial& trial) const {
  return with_excluded_nodes(quantsearch::settings_of(context_.base, trial.point),
                             nodes_left_float(details_from(trial.details)));
}

BuiltModel TrialRunner::rebuild(const Trial& trial) {
  Settings settings = settings_of(trial);
  const Candidate candidate = context_.pipeline.build(resolve(settings), {});
  return product_of(candidate, std::move(settings)).load();
}

std::unique_ptr<TrialExecutor> make_trial_runner(const TrialContext& context) {
  return std::make_unique<TrialRunner>(context);
}

}  // namespace quantsearch
