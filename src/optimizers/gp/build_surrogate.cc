#include "optimizers/gp/build_surrogate.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "optimizers/gp/history.h"

namespace quantsearch::gp {

namespace {

constexpr Eigen::Index kScenarios = 16;  // number of joint draws of the outcomes of pending points

/// The warped or standardised targets of an output, and the standardised zero of a constraint.
struct Targets {
  Data data;
  double zero = 0;
};

Targets targets_of(const Series& series, const Fit& fit, bool is_objective) {
  if (is_objective) return {.data = warped_data(series, fit.warp_level)};
  const Standardized standard = standardize(series.values);
  return {.data = {.features = series.features,
                   .dimension_of = series.dimension_of,
                   .targets = standard.values,
                   .variances = series.variances},
          .zero = standard.zero};
}

Posterior posterior_of(const Data& data, const Fit& fit) {
  return Posterior(data.features, data.dimension_of, from_logarithms(fit.logarithms), data.targets,
                   data.variances);
}

/// Returns the posterior as if the pending points had been observed. Each draw (a column of
/// standard normal numbers) gives one scenario of their outcomes; without draws there is one
/// scenario, their means.
Posterior with_pending(const Data& data, const Fit& fit, const Eigen::MatrixXd& places,
                       const Eigen::MatrixXd& draws) {
  const Posterior posterior = posterior_of(data, fit);
  const Eigen::Index old = data.features.cols();
  const Eigen::Index added = places.cols();
  const Eigen::Index scenarios = std::max<Eigen::Index>(1, draws.cols());
  Eigen::MatrixXd features(data.features.rows(), old + added);
  features << data.features, places;
  Eigen::MatrixXd targets(old + added, scenarios);
  targets.topRows(old) = data.targets.replicate(1, scenarios);
  targets.bottomRows(added) = posterior.means(places).replicate(1, scenarios);
  if (draws.cols() > 0) {
    Eigen::MatrixXd covariance = posterior.covariance(places);
    covariance.diagonal().array() += 1e-8 * posterior.amplitude();
    targets.bottomRows(added) += covariance.llt().matrixL() * draws;
  }
  Eigen::VectorXd variances(old + added);
  variances << data.variances, Eigen::VectorXd::Zero(added);
  return Posterior(features, data.dimension_of, from_logarithms(fit.logarithms), targets,
                   variances);
}

/// Returns the least posterior mean of each scenario over feasible observations and pending points
/// (the last rows). With noise, the least observed value would mostly reflect luck. nullopt when no
/// observation was feasible.
std::optional<Eigen::VectorXd> best_means(const Eigen::MatrixXd& means,
                                          const std::vector<const Observation*>& observations) {
  const auto feasible = [](const Observation* one) { return is_feasible(*one); };
  if (std::ranges::none_of(observations, feasible)) return std::nullopt;
  Eigen::VectorXd best =
      Eigen::VectorXd::Constant(means.cols(), std::numeric_limits<double>::infinity());
  for (Eigen::Index i = 0; i < means.rows(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (place < observations.size() && !is_feasible(*observations[place])) continue;
    best = best.cwiseMin(means.row(i).transpose());
  }
  return best;
}

std::vector<Coordinates> by_mean(const Eigen::VectorXd& means,
                                 const std::vector<const Observation*>& observations) {
  std::vector<std::size_t> order(observations.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> violations;
  for (const Observation* observation : observations) {
    double sum = 0;
    for (const double value : observation->constraints) sum += std::max(0.0, value);
    violations.push_back(sum);
  }
  std::ranges::stable_sort(order, {}, [&](std::size_t i) {
    return std::pair(violations[i], means[static_cast<Eigen::Index>(i)]);
  });
  std::vector<Coordinates> points;
  for (const std::size_t i : order) points.push_back(observations[i]->at);
  return points;
}

bool dominates(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  return (a.array() <= b.array()).all() && (a.array() < b.array()).any();
}

struct Front {
  std::vector<std::size_t> members;  // indices of observations
  std::vector<std::vector<double>> values;
  std::vector<double> reference;
};

/// Returns the feasible observations that no other dominates, compared by their posterior means.
/// `means`: [observations, objectives].
Front front_of(const Eigen::MatrixXd& means, const std::vector<const Observation*>& observations) {
  Front front;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    if (!is_feasible(*observations[i])) continue;
    const Eigen::VectorXd own = means.row(static_cast<Eigen::Index>(i));
    const auto beats = [&](std::size_t other) {
      const Eigen::VectorXd value = means.row(static_cast<Eigen::Index>(other));
      return value == own || dominates(value, own);
    };
    if (std::ranges::any_of(front.members, beats)) continue;
    std::erase_if(front.members, [&](std::size_t other) {
      return dominates(own, means.row(static_cast<Eigen::Index>(other)));
    });
    front.members.push_back(i);
  }
  for (const std::size_t member : front.members) {
    const Eigen::RowVectorXd row = means.row(static_cast<Eigen::Index>(member));
    front.values.emplace_back(row.data(), row.data() + row.size());
  }
  front.reference.assign(static_cast<std::size_t>(means.cols()), 0.0);
  for (std::size_t j = 0; j < front.reference.size() && !front.values.empty(); ++j) {
    const auto by_objective = [j](const auto& a, const auto& b) { return a[j] < b[j]; };
    const auto [best, worst] = std::ranges::minmax_element(front.values, by_objective);
    // The reference is a tenth of the front's width beyond the front, so that extending its ends
    // gains hypervolume.
    front.reference[j] = (*worst)[j] + std::max(0.1 * ((*worst)[j] - (*best)[j]), 0.1);
  }
  return front;
}

std::vector<Coordinates> shuffled_members(const Front& front,
                                          const std::vector<const Observation*>& observations,
                                          RandomStream& random) {
  std::vector<Coordinates> points;
  for (const std::size_t member : front.members) points.push_back(observations[member]->at);
  for (std::size_t i = points.size(); i > 1; --i) {
    std::swap(points[i - 1], points[static_cast<std::size_t>(random.below(i))]);
  }
  return points;
}

}  // namespace

BuiltSurrogate build_surrogate(const Knowledge& knowledge, RandomStream& random) {
  const auto& observations = knowledge.observations;
  const auto rows = static_cast<Eigen::Index>(observations.size());
  std::vector<Coordinates> running;
  for (const Pending& point : knowledge.pending) running.push_back(point.at);
  const Eigen::MatrixXd places = knowledge.features.encode(running);
  Eigen::MatrixXd draws;
  if (!running.empty() && knowledge.objectives == 1) {
    draws =
        Eigen::MatrixXd::NullaryExpr(places.cols(), kScenarios, [&] { return random.normal(); });
  }

  std::vector<Posterior> posteriors;
  std::vector<double> limits;
  for (std::size_t output = 0; output < knowledge.fits.size(); ++output) {
    const Fit& fit = knowledge.fits[output];
    if (fit.logarithms.size() == 0) continue;
    const bool is_objective = output < knowledge.objectives;
    const Series series = series_of(observations, knowledge.features, knowledge.objectives, output);
    const Targets targets = targets_of(series, fit, is_objective);
    posteriors.push_back(running.empty() ? posterior_of(targets.data, fit)
                                         : with_pending(targets.data, fit, places,
                                                        output == 0 ? draws : Eigen::MatrixXd{}));
    if (!is_objective) limits.push_back(targets.zero);
  }

  if (knowledge.objectives == 1) {
    const Eigen::MatrixXd& means = posteriors.front().means_at_observations();
    auto acquisition =
        log_constrained_improvement(best_means(means, observations), means.cols(), limits);
    auto incumbents = by_mean(means.topRows(rows).rowwise().mean(), observations);
    return {.surrogate = Surrogate(std::move(posteriors), std::move(acquisition)),
            .incumbents = std::move(incumbents)};
  }
  Eigen::MatrixXd means(rows, static_cast<Eigen::Index>(knowledge.objectives));
  for (std::size_t j = 0; j < knowledge.objectives; ++j) {
    means.col(static_cast<Eigen::Index>(j)) =
        posteriors[j].means_at_observations().col(0).head(rows);
  }
  const Front front = front_of(means, observations);
  auto acquisition = log_hypervolume_improvement(front.values, front.reference, limits);
  return {.surrogate = Surrogate(std::move(posteriors), std::move(acquisition)),
          .incumbents = shuffled_members(front, observations, random)};
}

}  // namespace quantsearch::gp
