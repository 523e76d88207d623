#include "search/earlier_trials.h"

#include <algorithm>
#include <utility>

namespace quantsearch {

EarlierTrials::EarlierTrials(StudyStore& store) {
  std::int64_t last = -1;
  bool is_in_order = true;
  pages_ = store.pages();
  store.visit([&](Trial&& trial) {
    is_in_order = is_in_order && trial.number > last;
    last = trial.number;
    if (trial.state != TrialState::running) numbers_.emplace(key_of(trial.point), trial.number);
  });
  if (is_in_order) return;
  // Another program numbered its trials otherwise than in the order in which they began.
  for (Trial& trial : store.load()) {
    if (trial.state != TrialState::running) read_.push_back(std::move(trial));
  }
  pages_.reset();
}

std::optional<std::int64_t> EarlierTrials::number_of(const Point& point) const {
  const auto found = numbers_.find(key_of(point));
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

const Trial* EarlierTrials::next() {
  while (read_.empty() && pages_ != nullptr) {
    std::vector<Trial> part = pages_->next();
    if (part.empty()) pages_.reset();
    for (Trial& trial : part) {
      if (was_finished(trial)) read_.push_back(std::move(trial));
    }
  }
  return read_.empty() ? nullptr : &read_.front();
}

Trial EarlierTrials::take() {
  Trial trial = std::move(read_.front());
  read_.pop_front();
  return trial;
}

/// False for a trial that was running when the search began, even when it has ended since.
bool EarlierTrials::was_finished(const Trial& trial) const {
  return trial.state != TrialState::running && numbers_.contains(key_of(trial.point));
}

}  // namespace quantsearch
