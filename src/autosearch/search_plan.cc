#include "autosearch/search_plan.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "autosearch/escalation.h"
#include "autosearch/placing.h"
#include "autosearch/settled_space.h"
#include "autosearch/staging.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

void require_points(const SpaceSummary& summary) {
  if (summary.distinct > 0) return;
  throw InvalidInput(
      fmt::format("search: none of the {} points of the space is valid: {}; widen the space or "
                  "change the base configuration",
                  summary.raw, reasons_of(summary.filtered)));
}

Space asked_space(const Setup& setup, const Value& placement) {
  const AutoSearchConfig& config = setup.config;
  if (config.strategy.algorithm != SearchAlgorithm::escalation)
    return config.space.value_or(default_space(config.base));
  if (config.space) {
    throw InvalidInput(
        "search: the algorithm escalation has a space of its own, and a search space is given; "
        "leave out one of the two");
  }
  return escalation_space(config, setup.objective.name, default_space(config.base),
                          placement_choices(placement));
}

}  // namespace

std::string reasons_of(const std::map<std::string, std::int64_t>& filtered) {
  std::vector<std::string> parts;
  for (const auto& [reason, count] : filtered)
    parts.push_back(fmt::format("{} ({} points)", reason, count));
  return fmt::format("{}", fmt::join(parts, "; "));
}

SearchPlan plan_search(const Setup& setup, Value placement) {
  const Space asked = asked_space(setup, placement);
  const std::int64_t samples = setup.data.calibration->size();
  const auto applicability = std::make_shared<Applicability>(
      [&setup](const SimplifyOptions& options) { return setup.pipeline->simplified(options); });
  SearchPlan plan{.space = settled_space(asked, samples),
                  .normalize = normalize_over(setup.config.base, applicability, samples),
                  .summary = {},
                  .placement = std::move(placement)};
  plan.summary = summarize(plan.space, plan.normalize);
  require_points(plan.summary);
  // The stages are checked for the space as the user wrote it, because several of its values may
  // become equal for these data.
  check_stages(setup.config, settled_space(asked, std::nullopt));
  return plan;
}

}  // namespace quantsearch
