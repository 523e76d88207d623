#include "optimizers/cma/run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "optimizers/cma/symmetric.h"

namespace quantsearch {

namespace {

/// Results from at most this many generations ago are still used. With W workers a result is at
/// most W / population generations late.
constexpr std::size_t kEarlier = 4;

/// Returns alpha of CatCMA with margin, which is chosen such that the probability that all discrete
/// dimensions keep their most likely value is 0.73.
double margin_of(const CmaEncoding& encoding) {
  const double discrete = static_cast<double>(std::max<Eigen::Index>(1, encoding.discrete()));
  return 1 - std::pow(0.73, 1 / discrete);
}

CmaDistribution first_distribution(const CmaEncoding& encoding, const CmaStart& start,
                                   bool adapts_rates) {
  const double margin = margin_of(encoding);
  const Eigen::Index numbers = encoding.numbers();
  // Sigma is the geometric mean of the deviations.
  double sigma = 1;
  if (numbers > 0) {
    double log_determinant = 0;
    for (const double value : symmetric_axes(start.covariance).values)
      log_determinant += std::log(value);
    sigma = std::exp(log_determinant / (2 * static_cast<double>(numbers)));
  }
  CmaDistribution first{
      .gaussian = CmaGaussian(start.mean, sigma, start.covariance / (sigma * sigma)),
      .margin = CmaMargin(encoding.grids(), margin),
      .categories = CmaCategories(start.shares, margin)};
  if (adapts_rates) first.rates = CmaLearningRates(numbers);
  return first;
}

}  // namespace

CmaScore score_of(const Observation& observation) {
  if (observation.outcome == Outcome::failed || observation.objectives.empty()) return {};
  double violation = 0;
  for (const double constraint : observation.constraints) violation += std::max(0.0, constraint);
  if (violation > 0) return {.kind = CmaScore::Kind::infeasible, .value = violation};
  return {.kind = CmaScore::Kind::feasible, .value = observation.objectives.front()};
}

CmaDraw CmaDistribution::draw(const CmaEncoding& encoding, RandomStream& random) const {
  CmaDraw draw{.positions = gaussian.draw(random), .categories = {}};
  const Eigen::Index redraws = 10 * encoding.numbers();
  for (Eigen::Index i = 0; i < redraws && !encoding.is_inside(draw.positions); ++i)
    draw.positions = gaussian.draw(random);
  draw.positions = encoding.clipped(std::move(draw.positions));
  draw.categories = categories.draw(random);
  return draw;
}

void CmaDistribution::update(const CmaStrategy& strategy, const std::vector<CmaMember>& members) {
  Eigen::MatrixXd points(gaussian.dimensions(), strategy.population);
  std::vector<std::vector<int>> chosen;
  chosen.reserve(members.size());
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    points.col(static_cast<Eigen::Index>(rank)) = members[rank].draw.positions;
    chosen.push_back(members[rank].draw.categories);
  }
  margin.center(gaussian, strategy, points);
  if (rates) {
    const CmaGaussian before = gaussian;
    gaussian.update(strategy, points);
    rates->damp(before, gaussian);
  } else {
    gaussian.update(strategy, points);
  }
  margin.correct(gaussian);
  categories.update(strategy, chosen);
}

CmaRun::CmaRun(const CmaEncoding& encoding, const CmaOptions& options, const CmaStart& start)
    : encoding_(&encoding),
      seed_(options.seed),
      adapts_rates_(options.learning_rate_adaptation),
      tests_(0, 1, 1),
      plan_(options.restarts,
            options.population > 0
                ? static_cast<Eigen::Index>(options.population)
                : default_population(encoding.numbers() +
                                     static_cast<Eigen::Index>(encoding.names()))) {
  begin(start, plan_.population());
}

void CmaRun::begin(const CmaStart& start, Eigen::Index population) {
  strategy_ = std::make_shared<const CmaStrategy>(cma_strategy(encoding_->numbers(), population));
  current_ =
      std::make_shared<const CmaDistribution>(first_distribution(*encoding_, start, adapts_rates_));
  tests_ = CmaStopTests(encoding_->numbers(), population, current_->gaussian.sigma);
  earlier_.clear();
  members_.clear();
  evaluations_ = 0;
}

void CmaRun::add(CmaMember member) {
  members_.push_back(std::move(member));
  ++evaluations_;
  if (std::ssize(members_) == strategy_->population) close_generation();
}

void CmaRun::close_generation() {
  // The sort is stable: equal scores stay in the order of arrival, which does not depend on the
  // points.
  std::ranges::stable_sort(members_, {}, &CmaMember::score);
  const std::vector<CmaMember> members = std::exchange(members_, {});
  ++generation_;
  // When every member has failed, the distribution is not updated.
  if (members.front().score.kind == CmaScore::Kind::failed) return;

  auto next = std::make_shared<CmaDistribution>(*current_);
  next->update(*strategy_, members);
  earlier_.insert(earlier_.begin(), current_);
  if (earlier_.size() > kEarlier) earlier_.pop_back();
  current_ = std::move(next);

  const auto value = [](const CmaScore& score) {
    return score.kind == CmaScore::Kind::feasible ? score.value
                                                  : std::numeric_limits<double>::infinity();
  };
  tests_.see(value(members.front().score), value(members.back().score));
  if (plan_.restarts() && tests_.should_stop(current_->gaussian)) restart();
}

/// Starts the next run at a random mean with the default step.
void CmaRun::restart() {
  RandomStream random(seed_, plan_.run(), "cma.restart");
  plan_.next(evaluations_, random);
  CmaStart start = default_start(*encoding_);
  for (double& position : start.mean) position = random.uniform();
  begin(start, plan_.population());
}

}  // namespace quantsearch
