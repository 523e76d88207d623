// NSGA-II (Deb, Pratap, Agarwal & Meyarivan 2002, https://doi.org/10.1109/4235.996017) and NSGA-III
// (Deb & Jain 2014, https://doi.org/10.1109/TEVC.2013.2281535) as a steady-state algorithm: results
// arrive one by one, and the population is selected again after every `offspring` of them, so that
// no worker waits for a generation. See docs/algorithms/samplers/nsga.md.

#include <fmt/format.h>

#include <algorithm>

#include "optimizers/nsga/niches.h"
#include "optimizers/nsga/selection.h"
#include "optimizers/nsga/variation.h"
#include "optimizers/visited.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr double kCrossoverRate = 0.9;
/// Number of children that are tried before a random point; each is mutated in one more dimension
/// on average than the one before.
constexpr int kChildren = 30;

class NsgaOptimizer final : public Optimizer {
 public:
  NsgaOptimizer(Domain domain, const NsgaOptions& options)
      : domain_(std::move(domain)),
        options_(options),
        axes_(axes_of(domain_)),
        variation_(axes_),
        visited_(domain_),
        capacity_(static_cast<std::size_t>(options.population)),
        offspring_(static_cast<std::size_t>(options.offspring)) {
    if (options.reference_points) directions_ = reference_directions(options.objectives, capacity_);
  }
  NsgaOptimizer(const NsgaOptimizer&) = delete;
  NsgaOptimizer& operator=(const NsgaOptimizer&) = delete;

  std::optional<Coordinates> ask(std::int64_t number, std::span<const Pending> pending) override {
    RandomStream random(options_.seed, number, "nsga");
    if (parents_.size() >= capacity_) {
      for (int child = 0; child < kChildren; ++child)
        if (auto point = visited_.fresh(breed(1 + child, random), pending)) return point;
    }
    return visited_.random_fresh(axes_, random, pending);
  }

  void tell(const Observation& observation) override {
    visited_.add(observation.at);
    // The losses of a pruned trial come from a part of the data, so that it might dominate by
    // chance.
    if (observation.outcome != Outcome::complete) return;
    if (observation.objectives.size() != options_.objectives)
      throw InvalidInput(fmt::format("nsga: trial {} was told with {} objectives, expected {}",
                                     observation.number, observation.objectives.size(),
                                     options_.objectives));
    newcomers_.push_back({.at = observation.at,
                          .losses = observation.objectives,
                          .violation = violation_of(observation.constraints)});
    const std::size_t wanted = parents_.empty() ? capacity_ : offspring_;
    if (newcomers_.size() >= wanted) select(observation.number);
  }

 private:
  void select(std::int64_t number) {
    std::ranges::move(newcomers_, std::back_inserter(parents_));
    newcomers_.clear();
    if (options_.reference_points) {
      RandomStream random(options_.seed, number, "nsga selection");
      parents_ = select_by_niche(std::move(parents_), capacity_, directions_, random);
    } else {
      parents_ = select_uncrowded(std::move(parents_), capacity_);
    }
  }

  [[nodiscard]] const NsgaMember& tournament(RandomStream& random) const {
    const NsgaMember& one = parents_[random.below(parents_.size())];
    return better_parent(one, parents_[random.below(parents_.size())]);
  }

  [[nodiscard]] Coordinates breed(int strength, RandomStream& random) const {
    const NsgaMember& one = tournament(random);
    const NsgaMember& other = random.uniform() < kCrossoverRate ? tournament(random) : one;
    return variation_.child(one.at, other.at, strength, random);
  }

  const Domain domain_;
  const NsgaOptions options_;
  const std::vector<Axis> axes_;
  const Variation variation_;
  Visited visited_;
  const std::size_t capacity_;
  const std::size_t offspring_;
  std::vector<Losses> directions_;
  std::vector<NsgaMember> parents_;    // empty until the first `population` trials have completed
  std::vector<NsgaMember> newcomers_;  // completed since the last selection
};

void check(const NsgaOptions& options) {
  if (options.objectives < 1) throw InvalidInput("nsga: got 0 objectives, expected at least 1");
  if (options.population < 2)
    throw InvalidInput(
        fmt::format("nsga: got a population of {}, expected at least 2", options.population));
  if (options.offspring < 1)
    throw InvalidInput(
        fmt::format("nsga: got {} offspring, expected at least 1", options.offspring));
}

}  // namespace

std::unique_ptr<Optimizer> nsga_optimizer(Domain domain, const NsgaOptions& options) {
  check(domain);
  check(options);
  return std::make_unique<NsgaOptimizer>(std::move(domain), options);
}

}  // namespace quantsearch
