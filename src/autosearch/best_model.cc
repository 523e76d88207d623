#include "autosearch/best_model.h"

#include <algorithm>

#include "quantsearch/search/trial_order.h"

namespace quantsearch {

BestModel::BestModel(const Setup& setup, TrialExecutor& executor, const OutputFolder& output)
    : fixed_inputs_(setup.config.fixed_inputs),
      executor_(executor),
      output_(output),
      ranking_(setup.ranking()),
      products_(setup.ranking(),
                static_cast<std::size_t>(std::max<std::int64_t>(1, setup.environment.keep)),
                setup.environment.budget) {}

bool BestModel::is_better(const Trial& trial) const {
  return trial.state == TrialState::complete && (!best_ || TrialOrder(ranking_)(trial, *best_));
}

void BestModel::add(const Trial& trial, const TrialProduct& product) {
  products_.add(trial, product);
  if (is_better(trial)) choose(trial);
}

void BestModel::take_best(const std::vector<Trial>& trials) {
  const std::vector<const Trial*> best_first = ranked(trials, ranking_);
  if (!best_first.empty() && is_better(*best_first.front())) choose(*best_first.front());
}

void BestModel::choose(const Trial& trial) {
  best_ = trial;
  write();
}

void BestModel::write() const {
  const BuiltModel best = built(*best_);
  output_.write_best(*best.model, best.settings, fixed_inputs_);
}

BuiltModel BestModel::built(const Trial& trial) const {
  const BuiltProduct* const product = products_.find(trial.number);
  return product != nullptr ? product->load() : executor_.rebuild(trial);
}

}  // namespace quantsearch
