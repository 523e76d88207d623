// Chooses an optimizer (docs/algorithms/samplers/auto.md): a Gaussian process while there are few
// trials, then an evolution strategy that starts where the process ended. In conditional domains
// the tree-structured Parzen estimator takes the place of the strategy, for several objectives NSGA
// does.

#include <algorithm>
#include <cmath>
#include <utility>

#include "optimizers/axis.h"
#include "optimizers/gp/history.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kProcessTrials = 200;  // beyond these an ask costs more than it gains
// Searches of at most this budget use only the process.
constexpr std::int64_t kProcessBudget = 250;
constexpr std::size_t kProcessObjectives = 3;
// Share of the best observations whose spread is the initial step of the strategy.
constexpr double kEliteShare = 0.1;
constexpr double kLeastSigma = 0.02;
constexpr double kGreatestSigma = 1.0 / 6;  // the default of the strategy

class AutoOptimizer final : public Optimizer {
 public:
  AutoOptimizer(Domain domain, const AutoOptions& options)
      : domain_(std::move(domain)),
        options_(options),
        process_trials_(options.objectives > kProcessObjectives ? 0
                        : options.budget.value_or(kProcessBudget + 1) <= kProcessBudget
                            ? kProcessBudget
                            : kProcessTrials) {
    if (process_trials_ == 0) return;
    first_ = gp_optimizer(domain_, {.seed = options.seed, .objectives = options.objectives});
  }
  AutoOptimizer(const AutoOptimizer&) = delete;
  AutoOptimizer& operator=(const AutoOptimizer&) = delete;

  std::optional<Coordinates> ask(std::int64_t number, std::span<const Pending> pending) override {
    if (scored_ < process_trials_) return first_->ask(number, pending);
    if (second_ == nullptr) {
      second_ = successor();
      for (const Observation& observation : std::exchange(told_, {})) second_->tell(observation);
      first_.reset();
    }
    return second_->ask(number, pending);
  }

  void tell(const Observation& observation) override {
    if (second_ == nullptr) told_.push_back(observation);
    if (observation.outcome != Outcome::failed) ++scored_;
    if (first_ != nullptr) first_->tell(observation);
    if (second_ != nullptr) second_->tell(observation);
  }

 private:
  /// Returns the observations of the first phase only, because the successor must not depend on
  /// when it was first asked.
  [[nodiscard]] std::vector<const Observation*> first_phase() const {
    std::vector<const Observation*> scored;
    for (const Observation& observation : told_) {
      if (std::ssize(scored) == process_trials_) break;
      if (observation.outcome != Outcome::failed) scored.push_back(&observation);
    }
    return scored;
  }

  [[nodiscard]] std::unique_ptr<Optimizer> successor() const {
    if (options_.objectives > 1) {
      return nsga_optimizer(domain_, {.seed = options_.seed,
                                      .objectives = options_.objectives,
                                      .reference_points = options_.objectives > 3});
    }
    std::vector<const Observation*> scored = first_phase();
    const bool is_conditional = std::ranges::any_of(
        scored, [](const Observation* one) { return !std::ranges::all_of(one->at, is_active); });
    if (is_conditional) return tpe_optimizer(domain_, {.seed = options_.seed});
    std::erase_if(scored, [](const Observation* one) { return !gp::is_feasible(*one); });
    if (scored.empty()) return cma_optimizer(domain_, {.seed = options_.seed});
    std::ranges::stable_sort(scored, {}, [](const Observation* one) { return one->objectives[0]; });
    return cma_optimizer(
        domain_,
        {.seed = options_.seed, .mean = scored.front()->at, .sigma = spread_of_elite(scored)});
  }

  /// Returns the root mean squared distance of the best observations from the best one, per axis.
  [[nodiscard]] double spread_of_elite(const std::vector<const Observation*>& best_first) const {
    const std::vector<Axis> axes = axes_of(domain_);
    const auto elite =
        static_cast<std::size_t>(std::ceil(kEliteShare * static_cast<double>(best_first.size())));
    double sum = 0;
    double count = 0;
    for (std::size_t i = 1; i < elite; ++i) {
      for (std::size_t axis = 0; axis < axes.size(); ++axis) {
        if (axes[axis].is_categorical() || axes[axis].is_single()) continue;
        const double distance = axes[axis].to_unit(best_first[i]->at[axis]) -
                                axes[axis].to_unit(best_first.front()->at[axis]);
        sum += distance * distance;
        count += 1;
      }
    }
    return std::clamp(count > 0 ? std::sqrt(sum / count) : kGreatestSigma, kLeastSigma,
                      kGreatestSigma);
  }

  const Domain domain_;
  const AutoOptions options_;
  const std::int64_t process_trials_;
  std::vector<Observation> told_;  // in the first phase
  std::int64_t scored_ = 0;
  std::unique_ptr<Optimizer> first_;
  std::unique_ptr<Optimizer> second_;
};

}  // namespace

std::unique_ptr<Optimizer> auto_optimizer(Domain domain, const AutoOptions& options) {
  check(domain);
  return std::make_unique<AutoOptimizer>(std::move(domain), options);
}

}  // namespace quantsearch
