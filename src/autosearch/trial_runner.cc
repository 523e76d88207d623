#include "autosearch/trial_runner.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "quantsearch/base/error.h"
#include "quantsearch/base/names.h"
#include "quantsearch/base/stopwatch.h"
#include "quantsearch/evaluate/delivery_check.h"

namespace quantsearch {

namespace {

Value stages_value(const std::vector<StageRecord>& stages) {
  Value value(Value::Map{});
  for (const StageRecord& stage : stages) {
    value.set(stage.name, Value::Map{{"seconds", stage.seconds}, {"cached", stage.cached}});
  }
  return value;
}

std::int64_t float_layers(const QuantizedModel& quantized) {
  return std::ranges::count_if(quantized.layers, [](const LayerRecord& layer) { return !layer.reason.empty(); });
}

/// Error of each layer before and after fine-tuning.
Value reconstruction_value(const std::vector<LayerReconstruction>& layers) {
  Value::List rows;
  for (const LayerReconstruction& layer : layers) {
    Value row = Value::Map{{"node", layer.node}, {"tuned", layer.tuned}, {"error_before", layer.error_before},
                           {"error_after", layer.error_after}, {"seconds", layer.seconds}};
    if (!layer.reason.empty()) row.set("reason", layer.reason);
    rows.push_back(std::move(row));
  }
  return rows;
}

/// The format of each layer and why.
Value precision_value(const std::vector<LayerPrecision>& layers, const std::map<std::string, NodeFormat>& formats) {
  const Settings written = with_node_formats({}, formats);
  const Value& by_node = written.at("node_formats");
  Value::List rows;
  for (const LayerPrecision& layer : layers) {
    const Value* const format = by_node.find(layer.node);
    rows.push_back(Value::Map{{"node", layer.node}, {"format", format != nullptr ? *format : Value(Value::Map{})},
                              {"widened", layer.is_high}, {"sensitivity", layer.sensitivity},
                              {"estimated_noise", layer.estimates.front()}, {"reason", layer.reason}});
  }
  return rows;
}

/// What stays float because the model did not run otherwise.
Value left_float_value(const std::vector<LeftFloat>& left_float) {
  Value::List rows;
  for (const LeftFloat& left : left_float) {
    for (const std::string& node : left.nodes) rows.push_back(Value::Map{{"node", node}, {"reason", left.reason}});
  }
  return rows;
}

Value details_of(const Scores& scores, std::int64_t float_layers, const RunnableCandidate& made) {
  const Candidate& candidate = made.candidate;
  Value metrics(Value::Map{});
  for (const auto& [name, score] : scores.metrics) metrics.set(name, score);
  Value details = Value::Map{{"scores", metrics},
                             {"size_bytes", scores.size_bytes},
                             {"float_layers", float_layers},
                             {"stages", stages_value(candidate.stages)}};
  if (scores.latency) details.set("latency_ms", scores.latency->median_ms);
  if (!candidate.precision.empty()) details.set("precision", precision_value(candidate.precision, candidate.node_formats));
  if (!candidate.reconstruction.empty()) details.set("reconstruction", reconstruction_value(candidate.reconstruction));
  if (!made.left_float.empty()) details.set("left_float", left_float_value(made.left_float));
  return details;
}

/// What of a written model will not run as integers, once per reason.
void log_float_layers(const LogSink& log, std::int64_t number, const QuantizedModel& quantized) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const LayerRecord& layer : quantized.layers) {
    if (!layer.reason.empty()) by_reason[layer.reason].push_back(layer.node);
  }
  constexpr std::size_t kNamed = 3;
  for (const auto& [reason, nodes] : by_reason) {
    say(log, LogLevel::detail, fmt::format("trial {}: {}: {}", number, reason, some_of(nodes, kNamed)));
  }
}

}  // namespace

std::vector<Metric> recorded_metrics(const AutoSearchConfig& config, bool has_labels) {
  std::set<Metric> metrics = {config.metric, Metric::l2, Metric::rel_l2, Metric::worst_slice, Metric::cos, Metric::sqnr};
  for (const std::string& name : config.more_objectives) {
    if (name != kSizeGoal && name != kLatencyGoal && name != kCustomGoal) metrics.insert(parse_metric(name));
  }
  if (has_labels) {
    metrics.insert(Metric::top1);
    metrics.insert(Metric::top5);
  }
  return {metrics.begin(), metrics.end()};
}

double custom_score(const CustomEvaluator& evaluator, const Model& model, const CancellationToken& token) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "model.onnx";
  save_model(model, file);
  const double score = evaluator.score(file, token);
  if (!std::isfinite(score)) throw IoError(fmt::format("evaluate: the custom evaluator returned {}, expected a finite number", score));
  return score;
}

int share_of(int threads, int jobs, int job) { return std::max(1, threads / jobs + (job < threads % jobs ? 1 : 0)); }

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

Latency trial_latency(const Model& model, const Reference& reference, const CancellationToken& token) {
  return measure_latency(model, reference.data().read(0, 1), {.seconds = 0.05, .token = token});
}

std::optional<Metric> race_metric(const AutoSearchConfig& config, bool is_custom, std::int64_t samples) {
  constexpr std::int64_t kFewSamples = 32;
  const bool learns = config.advanced || (config.algorithm != SearchAlgorithm::grid && config.algorithm != SearchAlgorithm::random);
  const double error = config.race_error.value_or(learns ? kDefaultRaceError : 0);
  if (error == 0 || is_custom || !config.more_objectives.empty() || samples < kFewSamples || !has_losses(config.metric)) return std::nullopt;
  return config.metric;
}

EvaluateOptions TrialRunner::evaluate_options(const CancellationToken& token) const {
  return {.metrics = recorded_metrics(context_.config, context_.reference.labels().has_value()),
          .output_weights = context_.config.output_weights,
          .losses_of = context_.race,
          .token = token};
}

void TrialRunner::set_rival(std::int64_t number, const Trial* best) {
  if (!context_.race || best == nullptr) return;
  const std::lock_guard lock(mutex_);
  rivals_[number] = {.number = best->number, .point = best->point};
}

std::optional<TrialRunner::Rival> TrialRunner::take_rival(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = rivals_.find(number);
  if (found == rivals_.end()) return std::nullopt;
  Rival rival = std::move(found->second);
  rivals_.erase(found);
  return rival;
}

std::vector<double> TrialRunner::losses_of(const Rival& rival, ThreadPool& pool, const CancellationToken& token) {
  {
    const std::lock_guard lock(mutex_);
    if (known_rival_ && known_rival_->number == rival.number) return known_losses_;
  }
  RunnableCandidate made = build_again(rival.point, &pool, token);
  std::vector<double> losses = context_.pipeline.score(made.candidate, context_.reference, evaluate_options(token), &pool).losses;
  const std::lock_guard lock(mutex_);
  known_rival_ = rival;
  known_losses_ = losses;
  return losses;
}

Scores TrialRunner::score(Candidate& candidate, const std::optional<Rival>& rival, std::optional<Race>& race, ThreadPool& pool,
                          const CancellationToken& token) {
  EvaluateOptions options = evaluate_options(token);
  if (rival) {
    const double error = context_.config.race_error.value_or(kDefaultRaceError);
    race.emplace(losses_of(*rival, pool, token), RaceOptions{.error_rate = error});
    options.go_on = [&race](std::span<const double> losses) { return race->add(losses) == RaceDecision::go_on; };
  }
  Scores scores = context_.pipeline.score(candidate, context_.reference, options, &pool);
  if (context_.evaluator) {
    const Stopwatch watch;
    scores.metrics["custom"] = custom_score(*context_.evaluator, candidate.quantized->model, token);
    candidate.stages.push_back({.name = "custom", .seconds = watch.seconds(), .cached = false});
  }
  return scores;
}

TrialPruned TrialRunner::pruned(const Candidate& candidate, const Race& race, const Rival& rival) const {
  const ObjectiveName& objective = context_.goals.objectives().front();
  const double mean = race.estimate().mean;
  const double value = objective.direction == Direction::minimize ? mean : metric_info(*context_.race).needs_labels ? 1 - mean : -mean;
  return {.value = value,
          .reason = fmt::format("given up after {} of {} samples: {} is about {:.6g}, which does not beat trial {}", race.seen(),
                                context_.reference.data().size(), objective.name, value, rival.number),
          .details = Value::Map{{"stages", stages_value(candidate.stages)}}};
}

TrialOutcome TrialRunner::run(const Point& point, std::int64_t number, const CancellationToken& token) {
  const JobPools::Lease lease(pools_);
  std::shared_lock at_work(quiet_);
  const std::optional<Rival> rival = take_rival(number);
  std::optional<Race> race;
  Scores scores;
  const auto run_all = [&](Candidate& tried) { scores = score(tried, rival, race, lease.pool(), token); };
  const RunnableCandidate made = build(point, run_all, &lease.pool(), token);
  const Candidate& candidate = made.candidate;
  log_float_layers(context_.log, number, *candidate.quantized);
  for (const LeftFloat& left : made.left_float) say(context_.log, LogLevel::info, fmt::format("trial {}: {}", number, to_string(left)));
  if (scores.gave_up) return pruned(candidate, *race, *rival);
  at_work.unlock();
  if (SearchGoals::needs_latency(context_.config)) {
    const std::unique_lock alone(quiet_);
    if (context_.wait_until_alone) context_.wait_until_alone();
    scores.latency = trial_latency(candidate.quantized->model, context_.reference, token);
  }
  {
    const std::lock_guard lock(mutex_);
    recent_[key_of(point)] = candidate.quantized;
  }
  const std::vector<double> violations = context_.goals.violations(scores);
  const bool keeps_limits = std::ranges::all_of(violations, [](double violation) { return violation <= 0; });
  return TrialSuccess{.value = scores.metrics.at(context_.goals.objectives().front().name),
                      .is_candidate = keeps_limits && context_.acceptance.accepts(scores.metrics),
                      .details = details_of(scores, float_layers(*candidate.quantized), made),
                      .objectives = context_.goals.values(scores),
                      .constraints = violations};
}

RunnableCandidate TrialRunner::build(const Point& point, const std::function<void(Candidate&)>& run, ThreadPool* pool,
                                     const CancellationToken& token) {
  const auto build_one = [&](const QuantizationConfig& config) { return context_.pipeline.build(config, token, pool); };
  RunnableCandidate made = build_runnable(settings_of(context_.config.base, point), build_one, run);
  const std::lock_guard lock(mutex_);
  left_float_[key_of(point)] = made.left_float;
  return made;
}

RunnableCandidate TrialRunner::build_again(const Point& point, ThreadPool* pool, const CancellationToken& token) {
  if (const auto settings = known_settings(point)) return {.candidate = context_.pipeline.build(resolve(*settings), token, pool), .left_float = {}};
  const auto run_once = [&](const Candidate& candidate) {
    prove_that_it_runs(candidate.quantized->model, context_.reference.data().read(0, 1), token);
  };
  return build(point, run_once, pool, token);
}

TrialHost::Made TrialRunner::made(const Point& point) {
  const auto quantized = model_of(point);
  Settings settings = *known_settings(point);  // model_of() has settled them
  const QuantizationConfig config = resolve(settings);
  if (config.precision) settings = with_node_formats(std::move(settings), context_.pipeline.build(config, {}).node_formats);
  return {.model = std::shared_ptr<const Model>(quantized, &quantized->model), .settings = std::move(settings)};
}

void TrialRunner::forget(const Point& point) {
  const std::lock_guard lock(mutex_);
  recent_.erase(key_of(point));
}

std::shared_ptr<const QuantizedModel> TrialRunner::model_of(const Point& point) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = recent_.find(key_of(point)); found != recent_.end()) return found->second;
  }
  return build_again(point, nullptr, {}).candidate.quantized;
}

std::optional<Settings> TrialRunner::known_settings(const Point& point) const {
  const std::lock_guard lock(mutex_);
  const auto known = left_float_.find(key_of(point));
  if (known == left_float_.end()) return std::nullopt;
  return with_excluded_nodes(settings_of(context_.config.base, point), all_nodes(known->second));
}

}  // namespace quantsearch
