#include "autosearch/best_model.h"

#include <algorithm>

namespace quantsearch {

BestModel::BestModel(const Setup& setup, TrialExecutor& executor, const OutputFolder& output)
    : fixed_inputs_(setup.config.fixed_inputs),
      executor_(executor),
      output_(output),
      order_(setup.objective.goal),
      products_(setup.objective.goal,
                static_cast<std::size_t>(std::max<std::int64_t>(1, setup.environment.keep)),
                setup.environment.budget) {}

bool BestModel::is_better(const Trial& trial) const {
  return trial.state == TrialState::complete && (!best_ || order_(trial, *best_));
}

void BestModel::add(const Trial& trial, const TrialProduct& product) {
  products_.add(trial, product);
  if (is_better(trial)) choose(trial);
}

void BestModel::take_best(const std::vector<Trial>& trials) {
  const Trial* best = nullptr;
  for (const Trial& trial : trials) {
    if (is_better(trial) && (best == nullptr || order_(trial, *best))) best = &trial;
  }
  if (best != nullptr) choose(*best);
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
