#include "autosearch/staging.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "autosearch/stages.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

const std::string kIterations = "extra_options.FastFinetune.NumIterations";
const std::string kLearningRate = "extra_options.FastFinetune.LearningRate";
const std::string kJoint = "extra_options.FastFinetune.NumIterLR";

/// Returns why a search in two stages would have no effect; nullopt when it has one.
std::optional<std::string> missing_stage(const Space& space, const Settings& base,
                                         const Normalize& normalize) {
  if (!has_finetuning(space)) {
    if (effective_value("include_fast_ft", base).as_bool()) {
      return "the space varies no setting of fine-tuning (extra_options.FastFinetune); every trial "
             "is tuned as the base says";
    }
    return "nothing switches fine-tuning on (include_fast_ft: true in quantization_config, or "
           "[true] in search_space)";
  }
  if (summarize(first_stage(space), normalize).distinct < 2)
    return "the space has one calibration only";
  return std::nullopt;
}

/// Returns the names of the counts of a stop condition that are set.
std::vector<std::string> counts_of(const StopConditions& stop) {
  std::vector<std::string> names;
  if (stop.find_n_candidates) names.emplace_back("find_n_candidates");
  if (stop.find_best_candidate) names.emplace_back("find_best_candidate");
  if (stop.iteration_limit) names.emplace_back("iteration_limit");
  return names;
}

void warn_of_two_stages(const AutoSearchConfig& config, std::vector<std::string>& warnings) {
  if (config.strategy.algorithm != SearchAlgorithm::grid &&
      config.strategy.algorithm != SearchAlgorithm::random) {
    warnings.emplace_back(
        "two_stage_search: both stages are exhausted, so search_algo has no effect");
  }
  if (const std::vector<std::string> counts = counts_of(config.strategy.stop); !counts.empty()) {
    warnings.push_back(fmt::format(
        "two_stage_search: both stages are exhausted, so {} of search_stop_condition {} no effect",
        fmt::join(counts, ", "), counts.size() == 1 ? "has" : "have"));
  }
}

void warn_of_advanced(const AutoSearchConfig& config, std::vector<std::string>& warnings) {
  if (config.strategy.two_stage)
    warnings.emplace_back(
        "advanced_fastft_search has both stages of two_stage_search, which has no further effect");
  if (config.strategy.algorithm != SearchAlgorithm::grid) {
    warnings.emplace_back(
        "advanced_fastft_search: the calibrations are walked whole and sampler_algo chooses the "
        "fine-tuning, so search_algo has "
        "no effect");
  }
}

void check_advanced(const Space& space, const Settings& base) {
  const auto refuse = [](const std::string& what) {
    throw InvalidInput("search: advanced_fastft_search " + what);
  };
  if (space.products().size() > 1)
    refuse(fmt::format("takes one search space, got {}; leave out the others",
                       space.products().size()));
  const auto& product = space.products().front();
  if (std::ranges::find(product, kJoint, &Parameter::name) != product.end()) {
    refuse("varies NumIterations and LearningRate by themselves; leave out the joint NumIterLR");
  }
  const std::string needs_switch =
      "needs a space with 'include_fast_ft: [true]', or 'include_fast_ft: true' in "
      "quantization_config";
  if (!has_finetuning(space) && !effective_value("include_fast_ft", base).as_bool())
    refuse(needs_switch);
  const std::vector<std::string> varied = varied_finetune_settings(space);
  for (const std::string& name : varied) {
    if (name != kIterations && name != kLearningRate) {
      refuse(fmt::format(
          "varies NumIterations and LearningRate only, got several values of '{}'; give one",
          name));
    }
  }
  if (varied.empty()) refuse("needs a range or several values of NumIterations or LearningRate");
  // Here the space switches fine-tuning off although the base switches it on.
  if (!has_finetuning(space)) refuse(needs_switch);
}

}  // namespace

void check_stages(const AutoSearchConfig& config, const Space& space) {
  if (config.strategy.advanced) {
    const Space completed = with_base_switch(space, config.base);
    check_advanced(completed, config.base);
    require_listed(first_stage(completed));
  } else if (config.strategy.algorithm == SearchAlgorithm::grid || config.strategy.two_stage) {
    require_listed(space);
  }
}

StagingChoice choose_staging(const AutoSearchConfig& config, const Space& space,
                             const Normalize& normalize) {
  StagingChoice choice{.space = with_base_switch(space, config.base)};
  if (config.strategy.advanced) {
    choice.staging = Staging::advanced;
    warn_of_advanced(config, choice.warnings);
    return choice;
  }
  const bool may_have_stages =
      config.strategy.two_stage || config.strategy.algorithm == SearchAlgorithm::automatic;
  const auto missing =
      may_have_stages ? missing_stage(choice.space, config.base, normalize) : std::nullopt;
  if (config.strategy.two_stage && !missing) {
    choice.staging = Staging::two_stages;
    warn_of_two_stages(config, choice.warnings);
    return choice;
  }
  if (config.strategy.two_stage)
    choice.warnings.push_back("two_stage_search has no effect: " + *missing);
  if (config.strategy.algorithm == SearchAlgorithm::automatic && !missing) {
    choice.staging = Staging::automatic;
  } else {
    choice.space = space;
  }
  return choice;
}

}  // namespace quantsearch
