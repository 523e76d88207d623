// Shows a running search.

#include <unistd.h>

#include <iostream>

#include "search_progress.h"

namespace quantsearch::cli {

SearchResult watch_search(const AutoSearchConfig& config, const SearchInput& input, SearchEnvironment environment, const CommonOptions& common) {
  if (common.quiet) return auto_search(config, input, environment);
  std::ostream& out = common.json ? std::cerr : std::cout;
  const bool is_terminal = isatty(common.json ? STDERR_FILENO : STDOUT_FILENO) != 0;
  std::optional<ProgressLine> progress;
  environment.on_space = [&, begin = environment.on_space](
                             const SpaceSummary& summary, const std::string& objective, Goal goal) {
    if (begin) begin(summary, objective, goal);
    std::optional<std::int64_t> total = summary.complete ? std::optional(summary.distinct) : std::nullopt;
    if (config.stop.iteration_limit)
      total = std::min(total.value_or(*config.stop.iteration_limit), *config.stop.iteration_limit);
    progress.emplace(out, is_terminal, objective, goal, total);
  };
  environment.on_start = [&](std::int64_t number, const Point&) { progress->started(number); };
  environment.on_earlier_best = [&](const Trial& best) { progress->known(best); };
  environment.on_trial = [&](const Trial& trial) { progress->finished(trial); };
  return auto_search(config, input, environment);
}

}  // namespace quantsearch::cli
