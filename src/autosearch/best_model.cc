#include "autosearch/best_model.h"

#include <algorithm>

#include "autosearch/provenance.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

namespace {

Value::Map input_keys(const AutoSearchConfig& config) {
  Value::Map keys;
  const FixedInputs& fixed = config.fixed_inputs;
  if (!fixed.empty()) keys.emplace_back("fixed_inputs", Value::Map(fixed.begin(), fixed.end()));
  if (config.preprocess) keys.emplace_back("preprocess", to_value(*config.preprocess));
  return keys;
}

}  // namespace

BestModel::BestModel(const Setup& setup, TrialExecutor& executor, const OutputFolder& output)
    : setup_(setup),
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
  Value config(input_keys(setup_.config));
  config.set("quantization_config", to_value(best.settings));
  config.set("provenance", provenance_of(setup_, best.settings));
  output_.write_best(*best.model, config);
}

BuiltModel BestModel::built(const Trial& trial) const {
  const BuiltProduct* const product = products_.find(trial.number);
  return product != nullptr ? product->load() : executor_.rebuild(trial);
}

}  // namespace quantsearch
