#include "optimizers/gp/lbfgs.h"

#include <cmath>
#include <deque>
#include <optional>

namespace quantsearch::gp {

namespace {

constexpr std::size_t kMemory = 8;
constexpr double kSufficientDecrease = 1e-4;
constexpr int kShortenings = 20;

struct Step {
  Eigen::VectorXd move;
  Eigen::VectorXd turn;  // change of the gradient
};

/// Returns 1 for each variable that may move against its gradient, 0 for the others.
Eigen::ArrayXd free_variables(const Eigen::VectorXd& at, const Eigen::VectorXd& gradient,
                              const Eigen::VectorXd& low, const Eigen::VectorXd& high) {
  Eigen::ArrayXd free(at.size());
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    const bool stuck =
        (at[i] <= low[i] && gradient[i] > 0) || (at[i] >= high[i] && gradient[i] < 0);
    free[i] = stuck ? 0 : 1;
  }
  return free;
}

/// The two-loop recursion with all vectors restricted to the free variables.
Eigen::VectorXd quasi_newton(const std::deque<Step>& steps, const Eigen::VectorXd& gradient,
                             const Eigen::ArrayXd& free) {
  Eigen::VectorXd direction = -(gradient.array() * free).matrix();
  std::vector<double> shares(steps.size(), 0.0);
  double curvature = 0;
  const auto inner = [&free](const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
    return (a.array() * b.array() * free).sum();
  };
  for (std::size_t i = steps.size(); i-- > 0;) {
    const double product = inner(steps[i].move, steps[i].turn);
    if (product <= 0) continue;
    shares[i] = inner(steps[i].move, direction) / product;
    direction -= shares[i] * (steps[i].turn.array() * free).matrix();
    if (curvature == 0) curvature = inner(steps[i].turn, steps[i].turn) / product;
  }
  direction *= curvature > 0 ? 1 / curvature : std::min(1.0, 1 / direction.norm());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double product = inner(steps[i].move, steps[i].turn);
    if (product <= 0) continue;
    const double back = inner(steps[i].turn, direction) / product;
    direction += (shares[i] - back) * (steps[i].move.array() * free).matrix();
  }
  return direction;
}

}  // namespace

Minimum minimize(const SmoothFunction& function, Eigen::VectorXd start, const Eigen::VectorXd& low,
                 const Eigen::VectorXd& high, const LbfgsOptions& options) {
  Minimum best{.at = start.cwiseMax(low).cwiseMin(high), .evaluations = 1};
  Evaluation here = function(best.at);
  best.value = here.value;
  if (!std::isfinite(here.value)) return best;

  /// Returns the first point along the projected direction that decreases the value sufficiently.
  const auto search_line = [&](const Eigen::VectorXd& direction,
                               Eigen::VectorXd& next) -> std::optional<Evaluation> {
    double length = 1;
    for (int i = 0; i < kShortenings; ++i) {
      next = (best.at + length * direction).cwiseMax(low).cwiseMin(high);
      const double expected = here.gradient.dot(next - best.at);
      Evaluation there = function(next);
      ++best.evaluations;
      const bool finite = std::isfinite(there.value);
      if (finite && there.value <= here.value + kSufficientDecrease * expected) return there;
      const double rise = there.value - here.value - expected;
      const double parabola = finite && rise > 0 ? -0.5 * expected / rise : 0.1;
      length *= std::min(0.5, std::max(0.1, parabola));
    }
    return std::nullopt;
  };

  std::deque<Step> steps;
  for (int iteration = 0; iteration < options.iterations; ++iteration) {
    const Eigen::ArrayXd free = free_variables(best.at, here.gradient, low, high);
    const Eigen::VectorXd projected = (here.gradient.array() * free).matrix();
    if (projected.size() == 0 || projected.lpNorm<Eigen::Infinity>() < options.gradient_tolerance) {
      break;
    }
    Eigen::VectorXd direction = quasi_newton(steps, here.gradient, free);
    if (direction.dot(here.gradient) >= 0) {
      steps.clear();
      direction = quasi_newton(steps, here.gradient, free);
    }
    Eigen::VectorXd next;
    std::optional<Evaluation> there = search_line(direction, next);
    if (!there && !steps.empty()) {
      steps.clear();
      there = search_line(quasi_newton(steps, here.gradient, free), next);
    }
    if (!there) break;
    Step step{.move = next - best.at, .turn = there->gradient - here.gradient};
    const double decrease = here.value - there->value;
    if (step.move.dot(step.turn) > 1e-12 * step.turn.squaredNorm()) {
      steps.push_back(std::move(step));
      if (steps.size() > kMemory) steps.pop_front();
    }
    best.at = std::move(next);
    best.value = there->value;
    here = std::move(*there);
    if (decrease <= options.relative_decrease * std::max(1.0, std::abs(best.value))) break;
  }
  return best;
}

}  // namespace quantsearch::gp
