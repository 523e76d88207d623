#include "optimizers/tpe/tpe_optimizer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "optimizers/tpe/history.h"
#include "optimizers/tpe/split.h"
#include "optimizers/visited.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

/// Largest number of rounds of candidates until one is new. In a small domain most candidates have
/// been told before.
constexpr int kRounds = 10;

void check_options(const TpeOptions& options) {
  if (options.objectives < 1)
    throw InvalidInput("search: tpe: got no objectives, expected at least 1");
  if (options.startup_trials < 0)
    throw InvalidInput(fmt::format("search: tpe: got {} start-up trials, expected 0 or more",
                                   options.startup_trials));
  if (options.candidates < 1)
    throw InvalidInput(
        fmt::format("search: tpe: got {} candidates, expected at least 1", options.candidates));
}

class TpeOptimizer final : public Optimizer {
 public:
  TpeOptimizer(Domain domain, const TpeOptions& options, const TpeTuning& tuning)
      : domain_(std::move(domain)),
        axes_(axes_of(domain_)),
        visited_(domain_),
        options_(options),
        tuning_(tuning),
        history_(axes_),
        good_cache_(axes_),
        bad_cache_(axes_) {}
  TpeOptimizer(const TpeOptimizer&) = delete;
  TpeOptimizer& operator=(const TpeOptimizer&) = delete;

  std::optional<Coordinates> ask(std::int64_t number, std::span<const Pending> pending) override;
  void tell(const Observation& observation) override;

 private:
  struct Groups {
    std::vector<std::uint32_t> good;  // rows in the order of trial numbers, oldest first
    std::vector<std::uint32_t> bad;
  };
  struct Candidate {
    Coordinates point;  // canonical
    double score = 0;   // ln of the density ratio
  };

  void forget_most();
  [[nodiscard]] std::size_t good_count() const;
  [[nodiscard]] Groups split() const;
  [[nodiscard]] std::vector<double> good_weights(const Groups& groups, bool is_alone) const;
  [[nodiscard]] std::vector<double> rank_weights(const std::vector<std::uint32_t>& good) const;
  [[nodiscard]] std::optional<Coordinates> propose(RandomStream& random,
                                                   std::span<const Pending> pending);
  [[nodiscard]] std::vector<Candidate> joint_candidates(const ParzenMixture& good,
                                                        const ParzenMixture& bad,
                                                        RandomStream& random) const;
  [[nodiscard]] std::vector<Candidate> separate_candidates(const ParzenMixture& good,
                                                           const ParzenMixture& bad,
                                                           RandomStream& random) const;

  const Domain domain_;
  const std::vector<Axis> axes_;
  Visited visited_;
  const TpeOptions options_;
  const TpeTuning tuning_;
  History history_;  // complete and pruned trials; during ask() followed by the pending ones
  std::vector<Rated> rated_;  // the finished trials, in the order of their rows
  ParzenCache good_cache_;
  ParzenCache bad_cache_;
};

void TpeOptimizer::tell(const Observation& observation) {
  visited_.add(observation.at);
  if (observation.outcome == Outcome::failed) return;
  rated_.push_back(rate(observation, options_.objectives));
  history_.add(observation.number, observation.at);
  // Removing is as much work as adding them all, so that it is done for many at once.
  if (rated_.size() >= tuning_.most_trials + std::max<std::size_t>(1, tuning_.most_trials / 4))
    forget_most();
}

void TpeOptimizer::forget_most() {
  const std::size_t most = tuning_.most_trials;
  std::vector<char> is_kept = best_trials(rated_, most / 2);
  std::size_t room = most - most / 2;
  for (std::size_t row = is_kept.size(); row-- > 0 && room > 0;) {
    if (is_kept[row]) continue;
    is_kept[row] = 1;
    --room;
  }
  history_.keep(is_kept);
  std::size_t row = 0;
  std::erase_if(rated_, [&](const Rated&) { return is_kept[row++] == 0; });
}

std::optional<Coordinates> TpeOptimizer::ask(std::int64_t number,
                                             std::span<const Pending> pending) {
  RandomStream random(options_.seed, number, "tpe");
  if (std::ssize(rated_) < options_.startup_trials) {
    return visited_.random_fresh(axes_, random, pending);
  }
  if (options_.constant_liar.value_or(options_.objectives > 1)) {
    for (const Pending& trial : pending) history_.add(trial.number, trial.at);
  }
  auto point = propose(random, pending);
  while (history_.size() > rated_.size()) history_.remove_last();
  return point;
}

std::size_t TpeOptimizer::good_count() const {
  const auto finished = static_cast<double>(rated_.size());
  const double share = std::ceil(tuning_.good_share * finished);
  if (options_.objectives > 1) return static_cast<std::size_t>(share);
  return static_cast<std::size_t>(std::min(share, tuning_.most_good));
}

TpeOptimizer::Groups TpeOptimizer::split() const {
  const std::vector<char> best = best_trials(rated_, good_count());
  Groups groups;
  for (std::uint32_t row = 0; row < history_.size(); ++row) {
    const bool good = row < best.size() && best[row];
    (good ? groups.good : groups.bad).push_back(row);
  }
  const auto number = [this](std::uint32_t row) { return history_.number(row); };
  std::ranges::stable_sort(groups.good, {}, number);
  std::ranges::stable_sort(groups.bad, {}, number);
  return groups;
}

std::vector<double> TpeOptimizer::good_weights(const Groups& groups, bool is_alone) const {
  if (options_.objectives > 1) return std::vector<double>(groups.good.size(), 1);
  if (is_alone || tuning_.rank_power == 0) return age_weights(groups.good.size());
  return rank_weights(groups.good);
}

/// Returns weights that fall with the rank and have the sum of equal ones. The good trials are
/// replaced by better ones as results arrive; while results are missing they lag behind, and their
/// best members show where the missing ones will move them.
std::vector<double> TpeOptimizer::rank_weights(const std::vector<std::uint32_t>& good) const {
  std::vector<double> weights(good.size());
  const auto count = static_cast<double>(good.size());
  double sum = 0;
  double rank = 1;
  for (const std::size_t i : ranking(rated_, good)) {
    weights[i] = std::pow(std::log((count + 1) / rank++), tuning_.rank_power);
    sum += weights[i];
  }
  for (double& weight : weights) weight *= count / sum;
  return weights;
}

std::optional<Coordinates> TpeOptimizer::propose(RandomStream& random,
                                                 std::span<const Pending> pending) {
  const Groups groups = split();
  good_cache_.forget_if_large();
  bad_cache_.forget_if_large();
  const ParzenMixture good(axes_, history_, groups.good, good_weights(groups, pending.empty()),
                           good_cache_, tuning_.bandwidths);
  const ParzenMixture bad(axes_, history_, groups.bad, age_weights(groups.bad.size()), bad_cache_,
                          tuning_.bandwidths);
  const bool joint = options_.multivariate.value_or(options_.objectives == 1);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Candidate> candidates =
        joint ? joint_candidates(good, bad, random) : separate_candidates(good, bad, random);
    std::ranges::stable_sort(candidates, std::greater(), &Candidate::score);
    for (const Candidate& candidate : candidates) {
      if (auto point = visited_.fresh(candidate.point, pending)) return point;
    }
  }
  return visited_.random_fresh(axes_, random, pending);
}

std::vector<TpeOptimizer::Candidate> TpeOptimizer::joint_candidates(const ParzenMixture& good,
                                                                    const ParzenMixture& bad,
                                                                    RandomStream& random) const {
  std::vector<Candidate> candidates;
  for (std::int64_t i = 0; i < options_.candidates; ++i) {
    Coordinates drawn = good.draw(random);
    for (std::size_t dimension = 0; dimension < drawn.size(); ++dimension) {
      if (random.uniform() < tuning_.mixing)
        drawn[dimension] = good.draw_marginal(dimension, random);
    }
    auto point = domain_.canonical ? domain_.canonical(drawn) : std::move(drawn);
    if (!point) continue;
    const double score = good.log_density(*point) - bad.log_density(*point);
    candidates.push_back({std::move(*point), score});
  }
  return candidates;
}

/// Combines the best candidate of each dimension into one point.
std::vector<TpeOptimizer::Candidate> TpeOptimizer::separate_candidates(const ParzenMixture& good,
                                                                       const ParzenMixture& bad,
                                                                       RandomStream& random) const {
  Coordinates point;
  for (std::size_t dimension = 0; dimension < axes_.size(); ++dimension) {
    double best = -std::numeric_limits<double>::infinity();
    double chosen = axes_[dimension].first();
    const std::int64_t draws = axes_[dimension].is_single() ? 0 : options_.candidates;
    for (std::int64_t i = 0; i < draws; ++i) {
      const double drawn = good.draw_marginal(dimension, random);
      const double score = good.log_marginal(dimension, drawn) - bad.log_marginal(dimension, drawn);
      if (score <= best) continue;
      best = score;
      chosen = drawn;
    }
    point.push_back(chosen);
  }
  auto canonical = domain_.canonical ? domain_.canonical(point) : std::move(point);
  if (!canonical) return {};
  std::vector<Candidate> candidates(1);
  candidates.front().point = std::move(*canonical);
  return candidates;
}

}  // namespace

std::unique_ptr<Optimizer> tuned_tpe_optimizer(Domain domain, const TpeOptions& options,
                                               const TpeTuning& tuning) {
  check(domain);
  check_options(options);
  return std::make_unique<TpeOptimizer>(std::move(domain), options, tuning);
}

std::unique_ptr<Optimizer> tpe_optimizer(Domain domain, const TpeOptions& options) {
  return tuned_tpe_optimizer(std::move(domain), options, {});
}

}  // namespace quantsearch
