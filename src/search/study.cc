#include "quantsearch/search/study.h"

#include <algorithm>
#include <utility>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

/// All trials in one part.
class OnePage final : public TrialPages {
 public:
  explicit OnePage(std::vector<Trial> trials) : trials_(std::move(trials)) {}
  std::vector<Trial> next() override { return std::exchange(trials_, {}); }

 private:
  std::vector<Trial> trials_;
};

class InMemoryStore final : public StudyStore {
 public:
  void visit(const std::function<void(Trial&&)>& take) override {
    for (const Trial& trial : trials_) take(Trial(trial));
  }
  void save(const Trial& finished) override { trials_.push_back(finished); }

 private:
  std::vector<Trial> trials_;
};

}  // namespace

std::vector<Trial> StudyStore::load() {
  std::vector<Trial> trials;
  visit([&trials](Trial&& trial) { trials.push_back(std::move(trial)); });
  std::ranges::stable_sort(trials, {}, &Trial::number);
  return trials;
}

std::unique_ptr<TrialPages> StudyStore::pages() { return std::make_unique<OnePage>(load()); }

std::string to_string(TrialState state) {
  switch (state) {
    case TrialState::running:
      return "running";
    case TrialState::complete:
      return "complete";
    case TrialState::failed:
      return "failed";
    case TrialState::pruned:
      return "pruned";
    case TrialState::interrupted:
      return "interrupted";
  }
  throw InternalError("trial state without a name");
}

std::optional<TrialState> parse_trial_state(const std::string& name) {
  for (const TrialState state : {TrialState::running, TrialState::complete, TrialState::failed,
                                 TrialState::pruned, TrialState::interrupted}) {
    if (to_string(state) == name) return state;
  }
  return std::nullopt;
}

std::string to_string(StopReason reason) {
  switch (reason) {
    case StopReason::space_exhausted:
      return "space_exhausted";
    case StopReason::candidates_found:
      return "candidates_found";
    case StopReason::no_improvement:
      return "no_improvement";
    case StopReason::iteration_limit:
      return "iteration_limit";
    case StopReason::time_limit:
      return "time_limit";
    case StopReason::cancelled:
      return "cancelled";
    case StopReason::study_removed:
      return "study_removed";
    case StopReason::study_lost:
      return "study_lost";
  }
  throw InternalError("stop reason without a name");
}

std::unique_ptr<StudyStore> in_memory_store() { return std::make_unique<InMemoryStore>(); }

}  // namespace quantsearch
