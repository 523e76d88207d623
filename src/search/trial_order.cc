#include "quantsearch/search/trial_order.h"

#include <algorithm>
#include <tuple>

#include "search/trial_sizes.h"

namespace quantsearch {

namespace {

auto tie_break(const Trial& trial) {
  return std::tuple(float_layers_of(trial.details).value_or(0),
                    size_bytes_of(trial.details).value_or(0), to_string(trial.point), trial.number);
}

}  // namespace

bool TrialOrder::improves(const Trial& a, const Trial& b) const {
  const bool is_complete = a.state == TrialState::complete;
  if (is_complete != (b.state == TrialState::complete)) return is_complete;
  if (!is_complete) return false;
  if (is_feasible(a) != is_feasible(b)) return is_feasible(a);
  if (a.is_candidate != b.is_candidate) return a.is_candidate;
  return is_better(*a.value, *b.value, goal_);
}

bool TrialOrder::operator()(const Trial& a, const Trial& b) const {
  if (improves(a, b)) return true;
  return !improves(b, a) && tie_break(a) < tie_break(b);
}

std::vector<const Trial*> ranked(const std::vector<Trial>& trials, Goal goal) {
  std::vector<const Trial*> complete;
  for (const Trial& trial : trials) {
    if (trial.state == TrialState::complete) complete.push_back(&trial);
  }
  const TrialOrder order(goal);
  std::ranges::sort(complete, [&order](const Trial* a, const Trial* b) { return order(*a, *b); });
  return complete;
}

}  // namespace quantsearch
