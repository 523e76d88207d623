// Shows the progress of a running search.

#include "search_progress.h"

#include <unistd.h>

#include <iostream>

namespace quantsearch::cli {

SearchResult watch_search(const AutoSearchConfig& config, const SearchInput& input,
                          SearchEnvironment environment, const CommonOptions& common) {
  if (common.quiet) return auto_search(config, input, environment);
  std::ostream& out = common.json ? std::cerr : std::cout;
  const bool is_terminal = isatty(common.json ? STDERR_FILENO : STDOUT_FILENO) != 0;
  std::optional<ProgressLine> progress;
  environment.on_space = [&, begin = environment.on_space](const SearchStart& start) {
    if (begin) begin(start);
    progress.emplace(out, is_terminal, start.objective, start.goal, start.most_trials);
  };
  environment.on_start = [&](std::int64_t number, const Point&) { progress->started(number); };
  environment.on_earlier_best = [&](const Trial& best) { progress->known(best); };
  environment.on_trial = [&](const Trial& trial) { progress->finished(trial); };
  return auto_search(config, input, environment);
}

}  // namespace quantsearch::cli
