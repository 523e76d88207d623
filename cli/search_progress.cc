// Shows the progress of a running search.

#include "search_progress.h"

#include <unistd.h>

#include <iostream>

#include "terminal.h"

namespace quantsearch::cli {

SearchResult watch_search(const AutoSearchConfig& config, const SearchInput& input,
                          SearchEnvironment environment, const CommonOptions& common) {
  if (common.quiet) return auto_search(config, input, environment);
  std::ostream& out = common.json ? std::cerr : std::cout;
  const int descriptor = common.json ? STDERR_FILENO : STDOUT_FILENO;
  std::optional<ProgressLine> progress;
  environment.on_space = [&, begin = environment.on_space](const SearchStart& start) {
    if (begin) begin(start);
    progress.emplace(out, ProgressOptions{.is_terminal = isatty(descriptor) != 0,
                                          .width = columns_at(descriptor),
                                          .objective = start.objective,
                                          .ranking = start.goal,
                                          .total = start.most_trials,
                                          .space = start.points});
  };
  environment.on_start = [&](std::int64_t number, const Point&) { progress->started(number); };
  environment.on_earlier_best = [&](const Trial& best) { progress->known(best); };
  environment.on_trial = [&](const Trial& trial) { progress->finished(trial); };
  return auto_search(config, input, environment);
}

}  // namespace quantsearch::cli
