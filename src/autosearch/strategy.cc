#include "autosearch/strategy.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "autosearch/stages.h"
#include "quantsearch/base/error.h"
#include "quantsearch/search/model_sampler.h"

namespace quantsearch {

namespace {

const std::string kIterations = "extra_options.FastFinetune.NumIterations";
const std::string kLearningRate = "extra_options.FastFinetune.LearningRate";
const std::string kJoint = "extra_options.FastFinetune.NumIterLR";

// The automatic search tunes this many of the best calibrations, and gives the first stage at most half of its trials.
constexpr std::size_t kTunedCalibrations = 8;

/// What all samplers of a search share.
struct Ingredients {
  const AutoSearchConfig& config;
  Normalize normalize;
  CostModel cost;
  std::vector<Goal> goals;

  [[nodiscard]] Goal goal() const { return goals.front(); }
};

MakeOptimizer optimizer_of(SearchAlgorithm algorithm, const Ingredients& with, std::optional<std::int64_t> budget) {
  const std::uint64_t seed = with.config.seed;
  const std::size_t objectives = with.goals.size();
  const std::int64_t workers = with.config.jobs;
  switch (algorithm) {
    case SearchAlgorithm::tpe:
      return [=](Domain domain) { return tpe_optimizer(std::move(domain), {.seed = seed, .objectives = objectives}); };
    case SearchAlgorithm::cma:
      return [=](Domain domain) { return cma_optimizer(std::move(domain), {.seed = seed}); };
    case SearchAlgorithm::gp:
      return [=](Domain domain) { return gp_optimizer(std::move(domain), {.seed = seed, .objectives = objectives}); };
    case SearchAlgorithm::nsga:
      return [=](Domain domain) { return nsga_optimizer(std::move(domain), {.seed = seed, .objectives = objectives}); };
    case SearchAlgorithm::qmc:
      return [=](Domain domain) { return qmc_optimizer(std::move(domain), {.seed = seed}); };
    case SearchAlgorithm::automatic:
      return [=](Domain domain) {
        return auto_optimizer(std::move(domain), {.seed = seed, .objectives = objectives, .budget = budget, .workers = workers});
      };
    case SearchAlgorithm::grid:
    case SearchAlgorithm::random:
      break;
  }
  throw InternalError("search algorithm without an optimizer");
}

std::unique_ptr<Sampler> sampler_of(SearchAlgorithm algorithm, const Space& space, const Ingredients& with,
                                    std::optional<std::int64_t> budget) {
  const SamplerOptions options{.seed = with.config.seed};
  if (algorithm == SearchAlgorithm::grid) return grid_sampler(space, with.normalize, with.cost, options);
  if (algorithm == SearchAlgorithm::random) return random_sampler(space, with.normalize, with.cost, options);
  return model_sampler(space, with.normalize, optimizer_of(algorithm, with, budget),
                       {.goals = with.goals, .learns = algorithm != SearchAlgorithm::qmc});
}

/// Points of complete trials, best first; feasible ones before others.
std::vector<Point> best_points(std::vector<Trial> trials, Goal goal, std::size_t count) {
  std::erase_if(trials, [](const Trial& trial) { return trial.state != TrialState::complete; });
  std::ranges::stable_sort(trials, [goal](const Trial& a, const Trial& b) {
    if (is_feasible(a) != is_feasible(b)) return is_feasible(a);
    return is_better(*a.value, *b.value, goal);
  });
  std::vector<Point> points;
  for (std::size_t i = 0; i < std::min(count, trials.size()); ++i) points.push_back(trials[i].point);
  return points;
}

/// Ends after `limit` points.
class Limited final : public Sampler {
 public:
  Limited(std::unique_ptr<Sampler> sampler, std::int64_t limit) : sampler_(std::move(sampler)), left_(limit) {}
  std::optional<Point> ask() override {
    if (left_ == 0) return std::nullopt;
    std::optional<Point> point = sampler_->ask();
    if (point) --left_;
    return point;
  }
  void tell(const Trial& finished) override { sampler_->tell(finished); }
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

/// Every calibration, then `finetune` over what was deferred, of the best `winners` of them.
std::unique_ptr<Sampler> in_stages(std::unique_ptr<Sampler> calibrations, const Space& space, const Ingredients& with,
                                   std::size_t winners, Deferred deferred,
                                   std::function<std::unique_ptr<Sampler>(const Space& stage)> finetune) {
  return staged_sampler(std::move(calibrations), [=, goal = with.goal()](const std::vector<Trial>& finished) -> std::unique_ptr<Sampler> {
    const std::optional<Space> stage = second_stage(space, best_points(finished, goal, winners), deferred);
    return stage ? finetune(*stage) : nullptr;
  });
}

/// What makes a search in two stages pointless, or nothing.
std::optional<std::string> missing_stage(const Space& space, const Normalize& normalize) {
  if (!has_finetuning(space)) return "the space never switches fine-tuning on (include_fast_ft: [true])";
  if (summarize(first_stage(space), normalize).distinct < 2) return "the space has one calibration only";
  return std::nullopt;
}

Strategy two_stages(const Space& space, const Ingredients& with) {
  const SearchAlgorithm algorithm = with.config.algorithm == SearchAlgorithm::random ? SearchAlgorithm::random : SearchAlgorithm::grid;
  const auto finetune = [with, algorithm](const Space& stage) { return sampler_of(algorithm, stage, with, std::nullopt); };
  Strategy strategy{.sampler = in_stages(sampler_of(algorithm, first_stage(space), with, std::nullopt), space, with, 1,
                                         Deferred::finetuning, finetune),
                    .exhausts = true};
  strategy.notices.emplace_back("two-stage search: all calibrations first, then every fine-tuning of the best; counts do not stop it");
  if (algorithm != with.config.algorithm) strategy.notices.emplace_back("two-stage search: both stages are exhausted, so search_algo has no effect");
  return strategy;
}

Strategy advanced(const Space& space, const Ingredients& with) {
  const AdvancedFinetuneSearch& advanced = *with.config.advanced;
  const auto finetune = [with, advanced](const Space& stage) {
    return std::make_unique<Limited>(sampler_of(advanced.sampler, stage, with, advanced.trials), advanced.trials);
  };
  Strategy strategy{.sampler = in_stages(sampler_of(SearchAlgorithm::grid, first_stage(space), with, std::nullopt), space, with, 1,
                                         Deferred::finetuning, finetune)};
  strategy.notices.push_back(fmt::format("advanced fine-tune search: all calibrations first, then {} trials of one study over the fine-tuning of the best",
                                         advanced.trials));
  return strategy;
}

Strategy automatic(const Space& space, const Ingredients& with) {
  const std::optional<std::int64_t> budget = with.config.stop.iteration_limit;
  if (missing_stage(space, with.normalize)) {
    return {.sampler = sampler_of(SearchAlgorithm::automatic, space, with, budget)};
  }
  constexpr Deferred kCostly = Deferred::finetuning_and_formats;
  const Space calibrations = first_stage(space, kCostly);
  const SpaceSummary summary = summarize(calibrations, with.normalize);
  std::int64_t first = summary.distinct;
  std::unique_ptr<Sampler> cheap;
  if (summary.complete && (!budget || first <= (*budget + 1) / 2)) {
    cheap = sampler_of(SearchAlgorithm::grid, calibrations, with, std::nullopt);
  } else {
    first = budget ? std::max<std::int64_t>(1, *budget / 2) : 100;
    cheap = std::make_unique<Limited>(sampler_of(SearchAlgorithm::automatic, calibrations, with, first), first);
  }
  const std::optional<std::int64_t> rest = budget ? std::optional(std::max<std::int64_t>(1, *budget - first)) : std::nullopt;
  const auto finetune = [with, rest](const Space& stage) { return sampler_of(SearchAlgorithm::automatic, stage, with, rest); };
  Strategy strategy{.sampler = in_stages(std::move(cheap), space, with, kTunedCalibrations, kCostly, finetune)};
  strategy.notices.push_back(fmt::format("automatic search: {} calibrations first, then the fine-tuning and mixed precision of the best {}",
                                         first, kTunedCalibrations));
  return strategy;
}

void check_advanced(const Space& space) {
  const auto refuse = [](const std::string& what) { throw InvalidInput("search: advanced_fastft_search " + what); };
  if (space.products().size() > 1) refuse(fmt::format("takes one search space, got {}; leave out the others", space.products().size()));
  const auto& product = space.products().front();
  if (std::ranges::find(product, kJoint, &Parameter::name) != product.end()) {
    refuse("varies NumIterations and LearningRate by themselves; leave out the joint NumIterLR");
  }
  if (!has_finetuning(space)) refuse("needs a space with 'include_fast_ft: [true]'");
  const std::vector<std::string> varied = varied_finetune_settings(space);
  for (const std::string& name : varied) {
    if (name != kIterations && name != kLearningRate) {
      refuse(fmt::format("varies NumIterations and LearningRate only, got several values of '{}'; give one", name));
    }
  }
  if (varied.empty()) refuse("needs a range or several values of NumIterations or LearningRate");
}

}  // namespace

void check_stages(const AutoSearchConfig& config, const Space& space) {
  if (config.advanced) {
    check_advanced(space);
    require_listed(first_stage(space));
  } else if (config.algorithm == SearchAlgorithm::grid || config.two_stage) {
    require_listed(space);
  }
}

Strategy strategy_of(const AutoSearchConfig& config, const Space& space, const Normalize& normalize, const CostModel& cost,
                     const std::vector<Goal>& goals) {
  const Ingredients with{.config = config, .normalize = normalize, .cost = cost, .goals = goals};
  if (config.algorithm == SearchAlgorithm::cma && goals.size() > 1) {
    throw InvalidInput(fmt::format("search: CmaEs takes one objective, got {}; use TPE, GPS, NSGAII or auto", goals.size()));
  }
  if (config.advanced) {
    Strategy strategy = advanced(space, with);
    if (config.two_stage) strategy.notices.emplace_back("advanced_fastft_search has both stages of two_stage_search, which has no further effect");
    return strategy;
  }
  if (config.two_stage) {
    const auto missing = missing_stage(space, normalize);
    if (!missing) return two_stages(space, with);
    Strategy strategy{.sampler = sampler_of(config.algorithm, space, with, config.stop.iteration_limit)};
    strategy.notices.push_back("two_stage_search has no effect: " + *missing);
    return strategy;
  }
  if (config.algorithm == SearchAlgorithm::automatic) return automatic(space, with);
  return {.sampler = sampler_of(config.algorithm, space, with, config.stop.iteration_limit)};
}

}  // namespace quantsearch
