#include "autosearch/escalation.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "autosearch/placing.h"
#include "quantsearch/search/trial_details.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

namespace {

const std::string kTuning = "include_fast_ft";
const std::string kAlgorithm = "extra_options.FastFinetune.OptimAlgorithm";
const std::string kMixing = "include_auto_mp";
const std::string kMixed = "extra_options.AutoMixprecision.";
const std::string kCle = "include_cle";
const std::string kWeights = "extra_options.WeightCalibrateMethod";
const std::string kFloatNodes = "nodes_to_exclude";
const std::string kType = "activation_type";

// Limits of mixed precision as shares of the tolerance, because it judges on calibration data.
constexpr double kStrictness[] = {0.7, 0.3, 0.1};
// Tolerance of worst_slice under the default rule (docs/metrics.md).
constexpr double kWorstSlice = 0.1;
constexpr double kNoise = 0.01;
// This many of the best calibrations are reconstructed.
constexpr std::size_t kReconstructed = 2;

/// The limits of mixed precision in the metric of the tolerance, the loosest first. The tolerance
/// of an evaluator's score has a scale of its own, which says nothing about a metric.
Parameter limits_of(const GoalConfig& goals, const std::string& objective) {
  const bool is_metric_tolerated = !is_evaluator_score(objective);
  const bool is_accuracy =
      is_metric_tolerated && (goals.metric == Metric::top1 || goals.metric == Metric::top5);
  const bool has_own =
      goals.tolerance && is_metric_tolerated && (is_accuracy || goals.metric == Metric::rel_l2);
  const double tolerance = has_own ? *goals.tolerance : kNoise;
  Parameter limits{.name = kMixed + (is_accuracy ? "Top1AccTarget" : "L2Target"), .choices = {}};
  for (const double share : kStrictness) {
    // People read the limits: 0.007 and not 0.006999999999999999.
    limits.choices.emplace_back(std::stod(fmt::format("{:.6g}", share * tolerance)));
  }
  return limits;
}

Value choice(const Point& point, const std::string& name) {
  const auto found = point.find(name);
  return found == point.end() ? Value() : found->second;
}

/// The other activation type of 8 bits; null when `type` has more.
Value other_type(const Value& type) {
  if (type == Value("QUInt8")) return "QInt8";
  return type == Value("QInt8") ? Value("QUInt8") : Value();
}

/// Adds the other activation type where the fastest model on a CPU is wanted: which integer kernels
/// a model gets depends on the type. An NPU has rules of its own.
void add_other_type(const AutoSearchConfig& config, std::vector<Parameter>& parameters) {
  const auto types = std::ranges::find(parameters, kType, &Parameter::name);
  const bool is_for_npu = effective_value("enable_npu_cnn", config.base).as_bool();
  if (types == parameters.end() || is_for_npu || !places_operators(config)) return;
  if (Value other = other_type(types->choices.front()); !other.is_null())
    types->choices.push_back(std::move(other));
}

/// "0.848 (0.839 to 0.861)".
std::string latency_text(const Trial& trial) {
  const std::optional<LatencyRatio> latency = details_from(trial.details).latency_ratio;
  if (!latency) return "an unknown number of";
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", latency->ratio, latency->low, latency->high);
}

}  // namespace

Space escalation_space(const AutoSearchConfig& config, const std::string& objective,
                       const Space& calibrations, const std::vector<Value>& placements) {
  std::vector<Parameter> parameters = calibrations.products().front();
  add_other_type(config, parameters);
  parameters.push_back({.name = kTuning, .choices = {false, true}});
  parameters.push_back({.name = kAlgorithm, .choices = {"gptq"}});
  parameters.push_back({.name = kMixing, .choices = {false, true}});
  if (!effective_value("enable_npu_cnn", config.base).as_bool())
    parameters.push_back({.name = kMixed + "TargetQuantType", .choices = {"Float"}});
  parameters.push_back(limits_of(config.goals, objective));
  parameters.push_back({.name = kMixed + "WorstSliceTarget", .choices = {kWorstSlice / 2}});
  if (!placements.empty()) parameters.push_back({.name = kFloatNodes, .choices = placements});
  return Space(std::move(parameters));
}

namespace {

class Escalation final : public Sampler {
 public:
  Escalation(const Space& space, Normalize normalize, const CostModel& cost,
             const EscalationOptions& options)
      : parameters_(space.products().front()),
        normalize_(std::move(normalize)),
        options_(options),
        order_(options.ranking) {
    collect_calibrations(cost);
  }

  std::optional<Point> ask() override {
    for (const Point& point : next()) {
      if (proposed_.insert(key_of(point)).second) return point;
    }
    return std::nullopt;
  }

  void tell(const Trial& finished) override {
    finished_.insert_or_assign(key_of(finished.point), finished);
    next_.reset();
    say_type();
  }

  bool is_ready() const override {
    const std::vector<Point>& points = next();
    return points.empty() || std::ranges::any_of(points, [this](const Point& point) {
             return !proposed_.contains(key_of(point));
           });
  }
  bool learns() const override { return true; }
  std::optional<std::int64_t> remaining() const override { return std::nullopt; }

 private:
  /// The calibrations in the order of the grid, the plain ones first.
  void collect_calibrations(const CostModel& cost) {
    std::vector<Parameter> calibrations;
    for (const Parameter& parameter : parameters_) {
      const bool is_later = parameter.name == kTuning || parameter.name == kMixing ||
                            parameter.name == kFloatNodes || parameter.name == kType;
      calibrations.push_back(
          is_later ? Parameter{.name = parameter.name, .choices = {parameter.choices.front()}}
                   : parameter);
    }
    const auto grid = grid_sampler(Space(std::move(calibrations)), normalize_, cost);
    while (std::optional<Point> point = grid->ask()) calibrations_.push_back(*std::move(point));
    std::stable_partition(calibrations_.begin(), calibrations_.end(), [this](const Point& point) {
      return choice(point, kCle) != Value(true) && choice(point, kWeights) == first_value(kWeights);
    });
  }

  [[nodiscard]] Value first_value(const std::string& name) const {
    const auto found = std::ranges::find(parameters_, name, &Parameter::name);
    return found == parameters_.end() ? Value() : found->choices.front();
  }

  /// The point with other settings, which bring their own settings with them; nullopt when it is
  /// not valid.
  [[nodiscard]] std::optional<Point> with(const Point& point, const Point& changes) const {
    Point changed;
    for (const Parameter& parameter : parameters_) {
      const auto own = point.find(parameter.name);
      changed[parameter.name] = own == point.end() ? parameter.choices.front() : own->second;
    }
    for (const auto& [name, value] : changes) changed[name] = value;
    std::variant<Point, Rejected> result = normalize_(changed);
    if (auto* valid = std::get_if<Point>(&result)) return std::move(*valid);
    return std::nullopt;
  }

  [[nodiscard]] const Trial* result(const Point& point) const {
    const auto found = finished_.find(key_of(point));
    return found == finished_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] std::vector<Point> unfinished(const std::vector<Point>& points) const {
    std::vector<Point> left;
    for (const Point& point : points) {
      if (result(point) == nullptr) left.push_back(point);
    }
    return left;
  }

  /// True within tolerance and limits.
  [[nodiscard]] static bool is_accepted(const Trial& trial) {
    return trial.is_candidate && is_feasible(trial);
  }

  /// The best of all results with this activation type; null without a complete one.
  [[nodiscard]] const Trial* best_with(const Value& type) const {
    const Trial* best = nullptr;
    for (const auto& [key, trial] : finished_) {
      if (trial.state != TrialState::complete || choice(trial.point, kType) != type) continue;
      if (best == nullptr || order_(trial, *best)) best = &trial;
    }
    return best;
  }

  /// The unfinished points of the phase in which the search is; empty at its end.
  [[nodiscard]] const std::vector<Point>& next() const {
    if (!next_) next_ = find_next();
    return *next_;
  }

  /// A function of the results alone, so that it does not matter in which run they were made.
  [[nodiscard]] std::vector<Point> find_next() const {
    if (auto points = unfinished(first_calibrations()); !points.empty()) return points;
    if (!had_candidate(first_calibrations())) {
      if (auto points = unfinished(reconstructions()); !points.empty()) return points;
      if (!had_candidate(reconstructions())) {
        if (auto points = next_formats(); !points.empty()) return points;
      }
    }
    if (const Trial* const found = best_before_types(); found != nullptr && is_accepted(*found)) {
      if (auto points = unfinished(other_types()); !points.empty()) return points;
      if (auto points = unfinished(other_placements()); !points.empty()) return points;
    }
    return unfinished(remaining_calibrations());
  }

  [[nodiscard]] std::vector<Point> first_calibrations() const {
    const auto count = std::min<std::size_t>(calibrations_.size(),
                                             static_cast<std::size_t>(options_.first_trials));
    return {calibrations_.begin(), calibrations_.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  /// The best of these points, in the order of their results.
  [[nodiscard]] std::vector<Point> best_of(const std::vector<Point>& points) const {
    std::vector<const Trial*> trials;
    for (const Point& point : points) {
      const Trial* const trial = result(point);
      if (trial != nullptr && trial->state == TrialState::complete) trials.push_back(trial);
    }
    std::ranges::sort(trials, [this](const Trial* a, const Trial* b) { return order_(*a, *b); });
    std::vector<Point> best;
    for (const Trial* trial : trials) best.push_back(trial->point);
    return best;
  }

  [[nodiscard]] bool had_candidate(const std::vector<Point>& points) const {
    return std::ranges::any_of(points, [this](const Point& point) {
      const Trial* const trial = result(point);
      return trial != nullptr && is_accepted(*trial);
    });
  }

  /// GPTQ behind the best calibrations, each also with the other position of equalization.
  [[nodiscard]] std::vector<Point> reconstructions() const {
    std::vector<Point> points;
    std::vector<Point> best = best_of(first_calibrations());
    best.resize(std::min(best.size(), kReconstructed));
    for (const Point& point : best) {
      for (const bool equalized : {false, true})
        add(points, with(point, {{kTuning, true}, {kCle, equalized}}));
    }
    return points;
  }

  static void add(std::vector<Point>& points, std::optional<Point> point) {
    if (point && std::ranges::find(points, *point) == points.end())
      points.push_back(*std::move(point));
  }

  /// Mixed precision of the best calibration by stricter and stricter limits.
  [[nodiscard]] std::vector<Point> formats() const {
    const std::vector<Point> best = best_of(first_calibrations());
    std::vector<Point> points;
    for (const Parameter& parameter : parameters_) {
      if (parameter.name != kMixed + "L2Target" && parameter.name != kMixed + "Top1AccTarget")
        continue;
      for (const Value& limit : parameter.choices) {
        if (!best.empty())
          add(points, with(best.front(), {{kMixing, true}, {parameter.name, limit}}));
      }
    }
    return points;
  }

  /// The next of formats(); empty as soon as a candidate is found or no stricter limit is left.
  [[nodiscard]] std::vector<Point> next_formats() const {
    for (const Point& point : formats()) {
      if (result(point) == nullptr) return {point};
      if (had_candidate({point})) return {};
    }
    return {};
  }

  /// The best result of the phases before with the other activation type; none when there is no
  /// other one: at its own placement, and at the one with most operators on integers, because what
  /// is slow with one type, and stays float for that, may be fast with the other
  /// (docs/decisions/0015).
  [[nodiscard]] std::vector<Point> other_types() const {
    const auto types = std::ranges::find(parameters_, kType, &Parameter::name);
    const Trial* const found = best_before_types();
    std::vector<Point> points;
    if (types == parameters_.end() || types->choices.size() < 2 || found == nullptr) return points;
    Point changes = {{kType, types->choices.back()}};
    add(points, with(found->point, changes));
    const auto placements = std::ranges::find(parameters_, kFloatNodes, &Parameter::name);
    if (placements == parameters_.end()) return points;
    changes[kFloatNodes] = *std::ranges::min_element(
        placements->choices, {}, [](const Value& nodes) { return nodes.as_list().size(); });
    add(points, with(found->point, changes));
    return points;
  }

  /// The best result of the phases before the other activation type is tried; null without one.
  [[nodiscard]] const Trial* best_before_types() const {
    std::vector<Point> points = first_calibrations();
    for (const std::vector<Point>& more : {reconstructions(), formats()})
      points.insert(points.end(), more.begin(), more.end());
    return best_result(points);
  }

  [[nodiscard]] const Trial* best_result(const std::vector<Point>& points) const {
    const std::vector<Point> best = best_of(points);
    return best.empty() ? nullptr : result(best.front());
  }

  /// True when `trial` is faster and the intervals of both do not meet. Everything else is a tie,
  /// so that noise does not choose the type.
  [[nodiscard]] bool is_clearly_faster(const Trial& trial, const Trial& before) const {
    const std::optional<LatencyRatio> ratio = details_from(trial.details).latency_ratio;
    const std::optional<LatencyRatio> earlier = details_from(before.details).latency_ratio;
    return ratio && earlier && ratio->high < earlier->low && order_.improves(trial, before);
  }

  /// The best result with the activation type that the search goes on with; null without one.
  [[nodiscard]] const Trial* best_of_types() const {
    const Trial* const before = best_before_types();
    const Trial* const other = best_result(other_types());
    if (before == nullptr || other == nullptr) return before;
    return is_accepted(*other) && is_clearly_faster(*other, *before) ? other : before;
  }

  /// Says once, as soon as the other activation type was tried, which one is kept and why.
  void say_type() {
    if (said_type_) return;
    const std::vector<Point> tried = other_types();
    if (tried.empty() || !unfinished(tried).empty()) return;
    said_type_ = true;
    const Trial& before = *best_before_types();
    if (!is_accepted(before)) return;
    say(options_.log, LogLevel::info,
        fmt::format("activation type: {}; the later trials have {}",
                    comparison(before, best_result(tried)),
                    choice(best_of_types()->point, kType).as_string()));
  }

  /// What was found with the other activation type. `other`: its best result; null without one.
  [[nodiscard]] std::string comparison(const Trial& before, const Trial* other) const {
    const std::string own_type = choice(before.point, kType).as_string();
    const std::string type = other_type(own_type).as_string();
    if (other == nullptr || !is_accepted(*other))
      return fmt::format("no model with {} is within the tolerance and the limits", type);
    const bool is_tie = !is_clearly_faster(*other, before) && !is_clearly_faster(before, *other);
    return fmt::format("{} takes {} times as long as the float model and {} {}{}", type,
                       latency_text(*other), own_type, latency_text(before),
                       is_tie ? ", a tie" : "");
  }

  /// The best result so far with the other placements.
  [[nodiscard]] std::vector<Point> other_placements() const {
    const auto placements = std::ranges::find(parameters_, kFloatNodes, &Parameter::name);
    const Trial* const found = best_of_types();
    std::vector<Point> points;
    if (placements == parameters_.end() || found == nullptr) return points;
    for (const Value& placement : placements->choices)
      add(points, with(found->point, {{kFloatNodes, placement}}));
    return points;
  }

  /// The calibrations that were not tried, with the settings of the best result so far.
  [[nodiscard]] std::vector<Point> remaining_calibrations() const {
    const Trial* const found = best_of_types();
    if (found == nullptr) return {};
    const Trial& leader = *best_with(choice(found->point, kType));
    Point settings;
    for (const std::string& name : {kTuning, kMixing, kFloatNodes, kType}) {
      if (const Value value = choice(leader.point, name); !value.is_null()) settings[name] = value;
    }
    std::vector<Point> points;
    for (const Point& calibration : calibrations_) add(points, with(calibration, settings));
    return points;
  }

  std::vector<Parameter> parameters_;
  Normalize normalize_;
  EscalationOptions options_;
  TrialOrder order_;
  std::vector<Point> calibrations_;
  std::map<Key, Trial> finished_;
  std::set<Key> proposed_;
  mutable std::optional<std::vector<Point>> next_;  // since the last result
  bool said_type_ = false;
};

}  // namespace

std::unique_ptr<Sampler> escalation_sampler(const Space& space, Normalize normalize,
                                            const CostModel& cost,
                                            const EscalationOptions& options) {
  return std::make_unique<Escalation>(space, std::move(normalize), cost, options);
}

}  // namespace quantsearch
