// Estimates the cost of a search before anything has run.

#include <algorithm>

#include "autosearch/cost_model.h"
#include "autosearch/settled_space.h"
#include "autosearch/staging.h"
#include "autosearch/strategy.h"
#include "quantsearch/autosearch.h"

namespace quantsearch {

namespace {

// The largest number of points that are summed in a space that is too large to be enumerated, so
// that a user does not wait long for an estimate.
constexpr std::int64_t kMostWalked = 10'000;

/// Returns the seconds of the first point, for spaces whose points cannot be enumerated. A range of
/// real numbers is at its lower end there.
double typical_seconds(const Space& space, const Normalize& normalize, const CostModel& cost) {
  const std::variant<Point, Rejected> point = normalize(space.at(0));
  return std::holds_alternative<Point>(point) ? cost(std::get<Point>(point)).seconds : 0;
}

/// Returns the total seconds of the first `trials` points in the order of the grid, and calls
/// `seen` for each.
double seconds_of(const Space& space, const Normalize& normalize, const CostModel& cost,
                  std::int64_t trials, const std::function<void(const Point&)>& seen) {
  const auto sampler = grid_sampler(space, normalize, cost);
  double seconds = 0;
  for (std::int64_t number = 0; number < trials; ++number) {
    const std::optional<Point> point = sampler->ask();
    if (!point) break;
    seconds += cost(*point).seconds;
    seen(*point);
  }
  return seconds;
}

PlannedStage planned(const StagePlan& plan, const Normalize& normalize, const CostModel& cost) {
  PlannedStage stage{.name = plan.name};
  if (!plan.space.is_finite()) {
    stage.complete = plan.most_trials.has_value();
    stage.trials = plan.most_trials.value_or(1);
    stage.expected_seconds =
        static_cast<double>(stage.trials) * typical_seconds(plan.space, normalize, cost);
    return stage;
  }
  const SpaceSummary summary = summarize(plan.space, normalize);
  stage.trials = std::min(summary.distinct, plan.most_trials.value_or(summary.distinct));
  stage.complete = summary.complete || stage.trials < summary.distinct;
  const bool can_be_walked = summary.complete || stage.trials <= kMostWalked;
  stage.expected_seconds =
      can_be_walked
          ? seconds_of(plan.space, normalize, cost, stage.trials, [](const Point&) {})
          : static_cast<double>(stage.trials) * typical_seconds(plan.space, normalize, cost);
  return stage;
}

}  // namespace

SpacePlan plan_space(const AutoSearchConfig& given, const Model& model_as_read,
                     std::int64_t first) {
  AutoSearchConfig config = given;
  config.base = settings_from(to_value(given.base));
  const Model model = fix_inputs(model_as_read, config.fixed_inputs);
  const Space space =
      settled_space(config.space.value_or(default_space(config.base)), std::nullopt);
  const TrialCosts costs(config.base, config.strategy.expected_seconds.value_or(1),
                         content_key(model), Key{});
  const CostModel cost = [&](const Point& point) { return costs.expected(point); };
  const Normalize normalize =
      normalize_over(config.base, std::make_shared<Applicability>(remembered_simplify(model)));
  check_stages(config, space);
  SpacePlan plan{.summary = summarize(space, normalize),
                 .first = {},
                 .stages = {},
                 .warnings = choose_staging(config, space, normalize).warnings};
  for (const StagePlan& stage : stage_plans(config, space, normalize, cost)) {
    plan.stages.push_back(planned(stage, normalize, cost));
    plan.expected_seconds += plan.stages.back().expected_seconds;
  }
  if (first > 0)
    (void)seconds_of(space, normalize, cost, first,
                     [&](const Point& point) { plan.first.push_back(point); });
  return plan;
}

}  // namespace quantsearch
