#include "quantsearch/search/model_sampler.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "search/space_domain.h"

namespace quantsearch {

namespace {

class ModelSampler final : public Sampler {
 public:
  ModelSampler(const Space& space, Normalize normalize, const MakeOptimizer& make,
               const ModelSamplerOptions& options)
      : mapping_(space, std::move(normalize), options.enumeration_limit),
        domain_(mapping_.domain()),
        optimizer_(make(domain_)),
        options_(options) {}
  ModelSampler(const ModelSampler&) = delete;
  ModelSampler& operator=(const ModelSampler&) = delete;

  std::optional<Point> ask() override {
    std::vector<Pending> pending = pending_;
    std::ranges::copy(elsewhere_, std::back_inserter(pending));
    std::optional<Coordinates> at = optimizer_->ask(next_, pending);
    if (!at) return std::nullopt;
    Point point = mapping_.point_of(*at);
    pending_.push_back({.number = next_++, .at = *std::move(at)});
    proposed_.emplace(key_of(point), pending_.back().number);
    return point;
  }

  void tell(const Trial& finished) override {
    Observation observation = observe(finished);
    const auto own = proposed_.find(key_of(finished.point));
    if (own != proposed_.end()) {
      std::erase_if(pending_,
                    [&](const Pending& pending) { return pending.number == own->second; });
      proposed_.erase(own);
    }
    optimizer_->tell(observation);
    ++told_;
  }

  void see_running(std::int64_t next_number, const std::vector<Trial>& running) override {
    // Each process draws from the stream of the trial's number, so that no two draw the same and
    // all recognize what another one drew.
    next_ = next_number;
    elsewhere_.clear();
    for (const Trial& trial : running) {
      if (!proposed_.contains(key_of(trial.point)))
        elsewhere_.push_back({.number = trial.number, .at = mapping_.coordinates_of(trial.point)});
    }
  }

  bool learns() const override { return options_.learns; }

  std::optional<std::int64_t> remaining() const override {
    if (domain_.points == nullptr) return std::nullopt;
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(domain_.points->size()) - told_ -
                                         static_cast<std::int64_t>(pending_.size()) -
                                         static_cast<std::int64_t>(elsewhere_.size()));
  }

 private:
  [[nodiscard]] Observation observe(const Trial& trial) const {
    Observation observation{.number = trial.number,
                            .at = mapping_.coordinates_of(trial.point),
                            .outcome = Outcome::failed};
    if (trial.state != TrialState::complete && trial.state != TrialState::pruned)
      return observation;
    observation.outcome = trial.state == TrialState::complete ? Outcome::complete : Outcome::pruned;
    std::vector<double> values = trial.objectives;
    if (values.empty() && trial.value) values.push_back(*trial.value);
    // A pruned trial has an estimate of one objective or of none, so that it cannot be compared in
    // the others.
    if (values.size() < options_.goals.size())
      return {.number = trial.number, .at = observation.at, .outcome = Outcome::failed};
    for (std::size_t i = 0; i < options_.goals.size(); ++i) {
      observation.objectives.push_back(options_.goals[i] == Goal::minimize ? values[i]
                                                                           : -values[i]);
    }
    observation.constraints = trial.constraints;
    return observation;
  }

  SpaceDomain mapping_;
  Domain domain_;
  std::unique_ptr<Optimizer> optimizer_;
  ModelSamplerOptions options_;
  std::vector<Pending> pending_;                    // proposed here
  std::vector<Pending> elsewhere_;                  // proposed by other processes
  std::unordered_map<Key, std::int64_t> proposed_;  // points that are pending -> their numbers
  std::int64_t next_ = 0;
  std::int64_t told_ = 0;
};

class StagedSampler final : public Sampler {
 public:
  using Second = std::function<std::unique_ptr<Sampler>(const std::vector<Trial>&)>;

  StagedSampler(std::unique_ptr<Sampler> first, Second second)
      : first_(std::move(first)), make_second_(std::move(second)) {}

  std::optional<Point> ask() override {
    if (!first_is_over_) {
      if (std::optional<Point> point = first_->ask()) {
        open_.insert(key_of(*point));
        return point;
      }
      first_is_over_ = true;
      // Not ready: it is asked again after these trials have been told.
      if (!open_.empty()) return std::nullopt;
    }
    if (second_ == nullptr && !second_made_) make_second();
    return second_ != nullptr ? second_->ask() : std::nullopt;
  }

  void tell(const Trial& finished) override {
    if (second_made_) {
      if (second_ != nullptr) second_->tell(finished);
      return;
    }
    first_->tell(finished);
    if (open_.erase(key_of(finished.point)) > 0) told_.push_back(finished);
  }

  void see_running(std::int64_t next_number, const std::vector<Trial>& running) override {
    first_->see_running(next_number, running);
    if (second_ != nullptr) second_->see_running(next_number, running);
  }

  bool is_ready() const override {
    if (second_ != nullptr) return second_->is_ready();
    return first_is_over_ ? open_.empty() : first_->is_ready();
  }
  bool learns() const override { return true; }
  std::optional<std::int64_t> remaining() const override {
    return second_ != nullptr ? second_->remaining() : std::nullopt;
  }

 private:
  void make_second() {
    second_ = make_second_(told_);
    second_made_ = true;
  }

  std::unique_ptr<Sampler> first_;
  Second make_second_;
  std::unique_ptr<Sampler> second_;
  bool first_is_over_ = false;
  bool second_made_ = false;
  std::unordered_set<Key> open_;
  std::vector<Trial> told_;
};

}  // namespace

std::unique_ptr<Sampler> model_sampler(const Space& space, Normalize normalize,
                                       const MakeOptimizer& make,
                                       const ModelSamplerOptions& options) {
  return std::make_unique<ModelSampler>(space, std::move(normalize), make, options);
}

std::unique_ptr<Sampler> staged_sampler(
    std::unique_ptr<Sampler> first,
    std::function<std::unique_ptr<Sampler>(const std::vector<Trial>& finished)> second) {
  return std::make_unique<StagedSampler>(std::move(first), std::move(second));
}

}  // namespace quantsearch
