#include "quantsearch/search/kept_trials.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "quantsearch/search/trial_order.h"
#include "search/trial_losses.h"

namespace quantsearch {

namespace {

/// A trial, and how many of the parts below keep it.
struct Held {
  Trial trial;
  int holders = 0;
};

}  // namespace

struct KeptTrials::State {
  State(Ranking ranking, std::vector<Goal> all_goals, const Bounds& all_bounds)
      : goals(std::move(all_goals)),
        bounds(all_bounds),
        order(ranking),
        best([this](const Trial* a, const Trial* b) { return order(*a, *b); }) {}

  void hold(std::int64_t number) { ++held.at(number).holders; }
  void release(std::int64_t number) {
    const auto found = held.find(number);
    if (--found->second.holders == 0) held.erase(found);
  }

  void add_to_history(const Trial& trial) {
    if (trial.number % stride != 0) return;
    history.push_back(trial.number);
    hold(trial.number);
    while (history.size() > bounds.history) {
      stride *= 2;
      std::deque<std::int64_t> fewer;
      for (const std::int64_t number : std::exchange(history, {})) {
        if (number % stride == 0) {
          fewer.push_back(number);
        } else {
          release(number);
        }
      }
      history = std::move(fewer);
    }
  }

  void add_to_best(const Trial& trial) {
    if (trial.state != TrialState::complete) return;
    if (best.size() >= bounds.best && order(**best.rbegin(), trial)) return;
    hold(trial.number);
    best.insert(&trial);
    if (best.size() <= bounds.best) return;
    const std::int64_t last = (*best.rbegin())->number;
    best.erase(std::prev(best.end()));
    release(last);
  }

  /// An incumbent comes before every trial of a lesser number, also of one that is added later.
  void add_to_incumbents(const Trial& trial) {
    if (trial.state != TrialState::complete || trial.number < first_incumbent) return;
    auto next = incumbents.upper_bound(trial.number);
    if (next != incumbents.begin() && !order(trial, *std::prev(next)->second)) return;
    while (next != incumbents.end() && !order(*next->second, trial)) {
      const std::int64_t number = next->first;
      next = incumbents.erase(next);
      release(number);
    }
    hold(trial.number);
    incumbents.emplace(trial.number, &trial);
    if (incumbents.size() <= bounds.incumbents) return;
    const std::int64_t oldest = incumbents.begin()->first;
    first_incumbent = oldest + 1;
    incumbents.erase(incumbents.begin());
    release(oldest);
  }

  void add_to_front(const Trial& trial) {
    if (goals.size() < 2 || !is_feasible(trial)) return;
    const std::optional<Losses> losses = losses_of(trial, goals, "kept trials");
    if (!losses) return;
    for (const auto& [number, other] : front) {
      if (dominates(other, *losses)) return;
    }
    std::erase_if(front, [&](const auto& entry) {
      if (!dominates(*losses, entry.second)) return false;
      release(entry.first);
      return true;
    });
    if (front.size() >= bounds.front) return;
    hold(trial.number);
    front.emplace_back(trial.number, *losses);
  }

  std::vector<Goal> goals;
  Bounds bounds;
  TrialOrder order;
  std::int64_t added = 0;
  std::map<std::int64_t, Held> held;  // by number; addresses of the trials are stable
  std::int64_t stride = 1;            // numbers of the history are multiples of it
  std::deque<std::int64_t> history;
  std::set<const Trial*, std::function<bool(const Trial*, const Trial*)>> best;
  std::map<std::int64_t, const Trial*> incumbents;  // by number
  std::int64_t first_incumbent = 0;                 // earlier ones are no longer kept
  std::vector<std::pair<std::int64_t, Losses>> front;
};

KeptTrials::KeptTrials(Ranking ranking, std::vector<Goal> goals, const Bounds& bounds)
    : state_(std::make_unique<State>(ranking, std::move(goals), bounds)) {}
KeptTrials::~KeptTrials() = default;
KeptTrials::KeptTrials(KeptTrials&&) noexcept = default;
KeptTrials& KeptTrials::operator=(KeptTrials&&) noexcept = default;

void KeptTrials::add(Trial trial) {
  const std::int64_t number = trial.number;
  // Held until every part has decided.
  const auto [place, is_new] = state_->held.try_emplace(number, Held{std::move(trial), 1});
  if (!is_new) return;
  ++state_->added;
  const Trial& added = place->second.trial;
  state_->add_to_history(added);
  state_->add_to_incumbents(added);
  state_->add_to_best(added);
  state_->add_to_front(added);
  state_->release(number);
}

std::int64_t KeptTrials::added() const { return state_->added; }

std::optional<std::int64_t> KeptTrials::in_all() const {
  return state_->added > std::ssize(state_->held) ? std::optional(state_->added) : std::nullopt;
}

std::vector<Trial> KeptTrials::trials() const {
  std::vector<Trial> trials;
  for (const auto& [number, held] : state_->held) trials.push_back(held.trial);
  return trials;
}

}  // namespace quantsearch
