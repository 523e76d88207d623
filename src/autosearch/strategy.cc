#include "autosearch/strategy.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <variant>

#include "autosearch/escalation.h"
#include "autosearch/stages.h"
#include "autosearch/staging.h"
#include "quantsearch/base/error.h"
#include "quantsearch/search/model_sampler.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

namespace {

// The automatic search tunes this many of the best calibrations, and gives the first stage at most
// half of its trials.
constexpr std::size_t kTunedCalibrations = 8;

/// The data that all samplers of a search share.
struct Ingredients {
  const AutoSearchConfig& config;
  Normalize normalize;
  CostModel cost;
  std::vector<Goal> goals;
  LogSink log = {};

  [[nodiscard]] Goal goal() const { return goals.front(); }
};

MakeOptimizer optimizer_of(SearchAlgorithm algorithm, const Ingredients& with,
                           std::optional<std::int64_t> budget) {
  const std::uint64_t seed = with.config.strategy.seed;
  const std::size_t objectives = with.goals.size();
  const std::int64_t workers = with.config.execution.jobs;
  switch (algorithm) {
    case SearchAlgorithm::tpe:
      return [=](Domain domain) {
        return tpe_optimizer(std::move(domain), {.seed = seed, .objectives = objectives});
      };
    case SearchAlgorithm::cma:
      return [=](Domain domain) { return cma_optimizer(std::move(domain), {.seed = seed}); };
    case SearchAlgorithm::gp:
      return [=](Domain domain) {
        return gp_optimizer(std::move(domain), {.seed = seed, .objectives = objectives});
      };
    case SearchAlgorithm::nsga:
      return [=](Domain domain) {
        return nsga_optimizer(std::move(domain), {.seed = seed, .objectives = objectives});
      };
    case SearchAlgorithm::qmc:
      return [=](Domain domain) { return qmc_optimizer(std::move(domain), {.seed = seed}); };
    case SearchAlgorithm::automatic:
      return [=](Domain domain) {
        return auto_optimizer(
            std::move(domain),
            {.seed = seed, .objectives = objectives, .budget = budget, .workers = workers});
      };
    case SearchAlgorithm::grid:
    case SearchAlgorithm::random:
    case SearchAlgorithm::escalation:
      break;
  }
  throw InternalError("search algorithm without an optimizer");
}

// A third of the time is for the first phase of an escalation, so that the later ones can run.
constexpr double kShareOfFirstPhase = 1.0 / 3;

std::int64_t first_trials_of(const Space& space, const Ingredients& with) {
  constexpr std::int64_t kFewest = 2;
  const std::int64_t most = EscalationOptions{.ranking = with.goal()}.first_trials;
  const std::optional<double> limit = with.config.strategy.stop.time_limit_seconds;
  const std::variant<Point, Rejected> first = with.normalize(space.at(0));
  if (!limit || !std::holds_alternative<Point>(first)) return most;
  const double seconds = with.cost(std::get<Point>(first)).seconds;
  return std::clamp(static_cast<std::int64_t>(kShareOfFirstPhase * *limit / seconds), kFewest,
                    most);
}

std::unique_ptr<Sampler> sampler_of(SearchAlgorithm algorithm, const Space& space,
                                    const Ingredients& with, std::optional<std::int64_t> budget) {
  const SamplerOptions options{.seed = with.config.strategy.seed};
  if (algorithm == SearchAlgorithm::grid)
    return grid_sampler(space, with.normalize, with.cost, options);
  if (algorithm == SearchAlgorithm::escalation) {
    return escalation_sampler(space, with.normalize, with.cost,
                              {.ranking = {with.goal(), with.config.goals.goal},
                               .first_trials = first_trials_of(space, with),
                               .log = with.log});
  }
  if (algorithm == SearchAlgorithm::random)
    return random_sampler(space, with.normalize, with.cost, options);
  return model_sampler(space, with.normalize, optimizer_of(algorithm, with, budget),
                       {.goals = with.goals, .learns = algorithm != SearchAlgorithm::qmc});
}

/// Returns the points of the best complete trials, best first.
std::vector<Point> best_points(const std::vector<Trial>& trials, Goal goal, std::size_t count) {
  std::vector<Point> points;
  for (const Trial* trial : ranked(trials, goal)) {
    if (points.size() < count) points.push_back(trial->point);
  }
  return points;
}

/// A sampler that ends after `limit` points.
class Limited final : public Sampler {
 public:
  Limited(std::unique_ptr<Sampler> sampler, std::int64_t limit)
      : sampler_(std::move(sampler)), left_(limit) {}
  std::optional<Point> ask() override {
    if (left_ == 0) return std::nullopt;
    std::optional<Point> point = sampler_->ask();
    if (point) --left_;
    return point;
  }
  void tell(const Trial& finished) override { sampler_->tell(finished); }
  void see_running(std::int64_t next_number, const std::vector<Trial>& running) override {
    sampler_->see_running(next_number, running);
  }
  bool is_ready() const override { return left_ == 0 || sampler_->is_ready(); }
  bool learns() const override { return sampler_->learns(); }
  std::optional<std::int64_t> remaining() const override {
    const auto more = sampler_->remaining();
    return more ? std::min(*more, left_) : left_;
  }

 private:
  std::unique_ptr<Sampler> sampler_;
  std::int64_t left_;
};

/// Returns a sampler that proposes every calibration and then the points of `finetune` for the
/// deferred settings of the best `winners` of them.
std::unique_ptr<Sampler> in_stages(
    std::unique_ptr<Sampler> calibrations, const Space& space, const Ingredients& with,
    std::size_t winners, Deferred deferred,
    std::function<std::unique_ptr<Sampler>(const Space& stage)> finetune) {
  return staged_sampler(
      std::move(calibrations),
      [=, goal = with.goal(), finetune = std::move(finetune)](
          const std::vector<Trial>& finished) -> std::unique_ptr<Sampler> {
        const std::vector<Point> best = best_points(finished, goal, winners);
        const std::optional<Space> stage = second_stage(space, best, deferred);
        if (stage) return finetune(*stage);
        say(with.log, LogLevel::warning,
            best.empty()
                ? "fine-tuning: no calibration succeeded, so there is none to tune"
                : fmt::format("fine-tuning: no search space tunes the best calibration, {}",
                              to_string(best.front())));
        return nullptr;
      });
}

SearchAlgorithm two_stage_algorithm(const AutoSearchConfig& config) {
  return config.strategy.algorithm == SearchAlgorithm::random ? SearchAlgorithm::random
                                                              : SearchAlgorithm::grid;
}

Strategy two_stages(const Space& space, const Ingredients& with) {
  const SearchAlgorithm algorithm = two_stage_algorithm(with.config);
  const auto finetune = [with, algorithm](const Space& stage) {
    return sampler_of(algorithm, stage, with, std::nullopt);
  };
  return {.sampler = in_stages(sampler_of(algorithm, first_stage(space), with, std::nullopt), space,
                               with, 1, Deferred::finetuning, finetune),
          .notices = {"two-stage search: all calibrations first, then every fine-tuning of the "
                      "best; counts do not stop it"},
          .exhausts = true};
}

/// Returns the calibration of a space that has only one; otherwise nullopt.
std::optional<Point> only_calibration(const Space& space, const Ingredients& with) {
  const Space calibrations = first_stage(space);
  if (summarize(calibrations, with.normalize).distinct != 1) return std::nullopt;
  return sampler_of(SearchAlgorithm::grid, calibrations, with, std::nullopt)->ask();
}

Strategy advanced(const Space& space, const Ingredients& with) {
  const AdvancedFinetuneSearch& advanced = *with.config.strategy.advanced;
  const auto finetune = [with, advanced](const Space& stage) {
    return std::make_unique<Limited>(sampler_of(advanced.sampler, stage, with, advanced.trials),
                                     advanced.trials);
  };
  if (const auto calibration = only_calibration(space, with)) {
    return {.sampler = finetune(second_stage(space, {*calibration}).value()),
            .notices = {fmt::format("advanced fine-tune search: the space has one calibration, so "
                                    "{} trials of one study tune it",
                                    advanced.trials)}};
  }
  return {.sampler =
              in_stages(sampler_of(SearchAlgorithm::grid, first_stage(space), with, std::nullopt),
                        space, with, 1, Deferred::finetuning, finetune),
          .notices = {fmt::format("advanced fine-tune search: all calibrations first, then {} "
                                  "trials of one study over the fine-tuning of the best",
                                  advanced.trials)}};
}

constexpr Deferred kCostly = Deferred::finetuning_and_formats;

/// The number of trials of the first stage of an automatic search; `whole` is true when these are
/// all points of the space.
struct FirstTrials {
  std::int64_t count = 0;
  bool whole = false;
};

FirstTrials automatic_first(const AutoSearchConfig& config, const Space& calibrations,
                            const Normalize& normalize) {
  const std::optional<std::int64_t> budget = config.strategy.stop.iteration_limit;
  const SpaceSummary summary = summarize(calibrations, normalize);
  if (summary.complete && (!budget || summary.distinct <= (*budget + 1) / 2))
    return {.count = summary.distinct, .whole = true};
  constexpr std::int64_t kWithoutLimit = 100;
  return {.count = budget ? std::max<std::int64_t>(1, *budget / 2) : kWithoutLimit, .whole = false};
}

std::optional<std::int64_t> automatic_rest(const AutoSearchConfig& config,
                                           const FirstTrials& first) {
  const std::optional<std::int64_t> budget = config.strategy.stop.iteration_limit;
  return budget ? std::optional(std::max<std::int64_t>(1, *budget - first.count)) : std::nullopt;
}

Strategy automatic(const Space& space, const Ingredients& with) {
  const Space calibrations = first_stage(space, kCostly);
  const FirstTrials first = automatic_first(with.config, calibrations, with.normalize);
  std::unique_ptr<Sampler> cheap;
  if (first.whole) {
    cheap = sampler_of(SearchAlgorithm::grid, calibrations, with, std::nullopt);
  } else {
    cheap = std::make_unique<Limited>(
        sampler_of(SearchAlgorithm::automatic, calibrations, with, first.count), first.count);
  }
  const std::optional<std::int64_t> rest = automatic_rest(with.config, first);
  const auto finetune = [with, rest](const Space& stage) {
    return sampler_of(SearchAlgorithm::automatic, stage, with, rest);
  };
  return {
      .sampler = in_stages(std::move(cheap), space, with, kTunedCalibrations, kCostly, finetune),
      .notices = {fmt::format("automatic search: {} calibrations first, then the fine-tuning and "
                              "mixed precision of the best {}",
                              first.count, kTunedCalibrations)}};
}

/// Returns the first stage, and the second stage of its first point in the order of the grid.
std::vector<StagePlan> two_plans(const Space& space, const Ingredients& with, Deferred deferred) {
  const Space calibrations = first_stage(space, deferred);
  std::vector<StagePlan> plans = {{.name = "calibration", .space = calibrations}};
  std::optional<Point> first = calibrations.at(0);
  if (calibrations.is_finite())
    first = sampler_of(SearchAlgorithm::grid, calibrations, with, std::nullopt)->ask();
  const auto second = first ? second_stage(space, {*first}, deferred) : std::nullopt;
  if (second) plans.push_back({.name = "fine-tuning of the best calibration", .space = *second});
  return plans;
}

std::vector<StagePlan> automatic_plans(const Space& space, const Ingredients& with) {
  std::vector<StagePlan> plans = two_plans(space, with, kCostly);
  const FirstTrials first = automatic_first(with.config, plans.front().space, with.normalize);
  plans.front().most_trials = first.count;
  if (plans.size() == 1) return plans;
  plans.back().name = fmt::format(
      "fine-tuning and mixed precision, of each of the best {} calibrations", kTunedCalibrations);
  plans.back().most_trials = automatic_rest(with.config, first);
  return plans;
}

// The largest total number of raw points of all second stages, one for each calibration, that are
// counted, so that a user does not wait long for the number.
constexpr std::int64_t kMostCounted = 20'000;

/// Returns the number of distinct points; nullopt when there are more than `limit` raw ones or
/// infinitely many.
std::optional<std::int64_t> count_of(const Space& space, const Normalize& normalize,
                                     std::int64_t limit) {
  if (!space.is_finite()) return std::nullopt;
  const SpaceSummary summary = summarize(space, normalize, limit);
  return summary.complete ? std::optional(summary.distinct) : std::nullopt;
}

/// Returns the largest possible number of points of the second stage: the sum for the `winners`
/// calibrations with most points.
std::optional<std::int64_t> most_tuned(const Space& space, const Normalize& normalize,
                                       std::size_t winners, Deferred deferred) {
  const Space calibrations = first_stage(space, deferred);
  if (!calibrations.is_finite() || calibrations.size() > kMostCounted) return std::nullopt;
  const std::vector<Point> points = distinct_points(calibrations, normalize, kMostCounted);
  std::vector<std::int64_t> counts;
  for (const Point& point : points) {
    const std::optional<Space> stage = second_stage(space, {point}, deferred);
    const auto count = stage ? count_of(*stage, normalize, kMostCounted / std::ssize(points))
                             : std::optional<std::int64_t>(0);
    if (!count) return std::nullopt;
    counts.push_back(*count);
  }
  std::ranges::sort(counts, std::ranges::greater());
  counts.resize(std::min(counts.size(), winners));
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::optional<std::int64_t> lesser(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::optional<std::int64_t> sum(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  return a && b ? std::optional(*a + *b) : std::nullopt;
}

}  // namespace

Strategy strategy_of(const AutoSearchConfig& config, const Space& space, const Normalize& normalize,
                     const CostModel& cost, const std::vector<Goal>& goals, const LogSink& log) {
  const Ingredients with{
      .config = config, .normalize = normalize, .cost = cost, .goals = goals, .log = log};
  if (config.strategy.algorithm == SearchAlgorithm::cma && goals.size() > 1) {
    throw InvalidInput(fmt::format(
        "search: CmaEs takes one objective, got {}; use TPE, GPS, NSGAII or auto", goals.size()));
  }
  StagingChoice choice = choose_staging(config, space, normalize);
  const auto made = [&]() -> Strategy {
    switch (choice.staging) {
      case Staging::two_stages:
        return two_stages(choice.space, with);
      case Staging::advanced:
        return advanced(choice.space, with);
      case Staging::automatic:
        return automatic(choice.space, with);
      case Staging::none:
        return {.sampler = sampler_of(config.strategy.algorithm, choice.space, with,
                                      config.strategy.stop.iteration_limit)};
    }
    throw InternalError("staging without a strategy");
  };
  Strategy strategy = made();
  strategy.warnings = std::move(choice.warnings);
  return strategy;
}

std::optional<std::int64_t> most_trials(const AutoSearchConfig& config, const Space& space,
                                        const SpaceSummary& summary, const Normalize& normalize) {
  const StagingChoice choice = choose_staging(config, space, normalize);
  const std::optional<std::int64_t> limit = config.strategy.stop.iteration_limit;
  switch (choice.staging) {
    case Staging::none:
      if (config.strategy.algorithm == SearchAlgorithm::escalation) return limit;
      return lesser(summary.complete ? std::optional(summary.distinct) : std::nullopt, limit);
    case Staging::two_stages:  // it has no limit on the number of trials
      return sum(count_of(first_stage(choice.space), normalize, kMostCounted),
                 most_tuned(choice.space, normalize, 1, Deferred::finetuning));
    case Staging::advanced: {
      std::optional<std::int64_t> calibrations =
          count_of(first_stage(choice.space), normalize, kMostCounted);
      if (calibrations == 1) calibrations = 0;  // the only calibration is tuned directly
      return lesser(
          sum(calibrations, lesser(most_tuned(choice.space, normalize, 1, Deferred::finetuning),
                                   config.strategy.advanced->trials)),
          limit);
    }
    case Staging::automatic:
      return lesser(sum(count_of(first_stage(choice.space, kCostly), normalize, kMostCounted),
                        most_tuned(choice.space, normalize, kTunedCalibrations, kCostly)),
                    limit);
  }
  throw InternalError("staging without a number of trials");
}

std::vector<StagePlan> stage_plans(const AutoSearchConfig& config, const Space& space,
                                   const Normalize& normalize, const CostModel& cost) {
  const Ingredients with{
      .config = config, .normalize = normalize, .cost = cost, .goals = {Goal::minimize}};
  const StagingChoice choice = choose_staging(config, space, normalize);
  switch (choice.staging) {
    case Staging::two_stages:
      return two_plans(choice.space, with, Deferred::finetuning);
    case Staging::advanced: {
      std::vector<StagePlan> plans = two_plans(choice.space, with, Deferred::finetuning);
      if (only_calibration(choice.space, with)) plans.erase(plans.begin());
      plans.back().most_trials = config.strategy.advanced->trials;
      return plans;
    }
    case Staging::automatic:
      return automatic_plans(choice.space, with);
    case Staging::none:
      return {{.name = "search",
               .space = choice.space,
               .most_trials = config.strategy.stop.iteration_limit}};
  }
  throw InternalError("staging without a plan");
}

}  // namespace quantsearch
