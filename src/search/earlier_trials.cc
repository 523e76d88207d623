#include "search/earlier_trials.h"

#include <algorithm>
#include <utility>

namespace quantsearch {

namespace {

/// As many as a store reads at a time.
constexpr std::size_t kMostHeld = 4096;

}  // namespace

EarlierTrials::EarlierTrials(StudyStore& store, const SearchOptions& options)
    : store_(store), options_(options), pages_(store.pages()) {}

const Trial* EarlierTrials::next() {
  while (read_.empty() && pages_ != nullptr) read_part();
  if (has_gap_) read_all();
  return read_.empty() ? nullptr : &read_.front().trial;
}

bool EarlierTrials::next_is(std::int64_t number, const Point& point) {
  const Trial* const trial = next();
  return trial != nullptr && trial->number == number && read_.front().key == key_of(point);
}

Trial EarlierTrials::take() {
  Trial trial = std::move(read_.front().trial);
  read_.pop_front();
  taken_ = trial.number;
  return trial;
}

Trial EarlierTrials::take_repeated() {
  numbers_.erase(read_.front().key);
  return take();
}

std::optional<std::int64_t> EarlierTrials::number_of(const Point& point) {
  const Key key = key_of(point);
  if (!numbers_.contains(key)) read_all();
  const auto found = numbers_.find(key);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

void EarlierTrials::read_all() {
  while (!is_all_known_) read_part();
}

void EarlierTrials::read_part() {
  std::vector<Trial> part = pages_->next();
  if (part.empty()) {
    end_reading();
  } else if (is_all_known_) {
    for (Trial& trial : part) take_in_again(std::move(trial));
  } else {
    const bool is_held = !held_to_ && read_.size() < kMostHeld;
    if (!is_held && !held_to_) held_to_ = last_;
    for (Trial& trial : part) take_in(std::move(trial), is_held);
  }
}

void EarlierTrials::take_in(Trial trial, bool is_held) {
  has_gap_ = has_gap_ || trial.number != last_ + 1;
  is_in_order_ = is_in_order_ && trial.number > last_;
  last_ = std::max(last_, trial.number);
  if (options_.on_earlier) options_.on_earlier(trial);
  if (trial.state == TrialState::running) return;
  const Key key = key_of(trial.point);
  numbers_.emplace(key, trial.number);
  if (is_held) read_.push_back({.key = key, .trial = std::move(trial)});
}

/// Leaves out a trial that was running when the search began, even when it has ended since.
void EarlierTrials::take_in_again(Trial trial) {
  if (trial.number <= *held_to_ || trial.state == TrialState::running) return;
  const Key key = key_of(trial.point);
  if (numbers_.contains(key)) read_.push_back({.key = key, .trial = std::move(trial)});
}

void EarlierTrials::end_reading() {
  pages_.reset();
  if (is_all_known_) return;
  is_all_known_ = true;
  if (!is_in_order_) {
    load_in_order();
  } else if (held_to_) {
    pages_ = store_.pages();
  }
  if (options_.on_earlier_end) options_.on_earlier_end();
}

/// Trials are taken before this only as long as there is no gap, so that those up to the last one
/// have all been taken.
void EarlierTrials::load_in_order() {
  read_.clear();
  for (Trial& trial : store_.load()) {
    if (trial.number <= taken_ || trial.state == TrialState::running) continue;
    const Key key = key_of(trial.point);
    read_.push_back({.key = key, .trial = std::move(trial)});
  }
}

}  // namespace quantsearch
