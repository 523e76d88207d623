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

/// The state that the iterations share.
class Minimization {
 public:
  Minimization(const SmoothFunction& function, const Eigen::VectorXd& start,
               const Eigen::VectorXd& low, const Eigen::VectorXd& high)
      : function_(function),
        low_(low),
        high_(high),
        best_{.at = start.cwiseMax(low).cwiseMin(high), .evaluations = 1},
        here_(function(best_.at)) {
    best_.value = here_.value;
  }

  Minimum run(const LbfgsOptions& options) {
    if (!std::isfinite(here_.value)) return best_;
    for (int iteration = 0; iteration < options.iterations; ++iteration) {
      const Eigen::ArrayXd free = free_variables(best_.at, here_.gradient, low_, high_);
      const Eigen::VectorXd projected = (here_.gradient.array() * free).matrix();
      if (projected.size() == 0 ||
          projected.lpNorm<Eigen::Infinity>() < options.gradient_tolerance) {
        break;
      }
      std::optional<Lower> lower = find_lower(free);
      if (!lower) break;
      const double decrease = here_.value - lower->evaluation.value;
      move_to(*std::move(lower));
      if (decrease <= options.relative_decrease * std::max(1.0, std::abs(best_.value))) break;
    }
    return best_;
  }

 private:
  /// A point where the value is sufficiently lower.
  struct Lower {
    Eigen::VectorXd at;
    Evaluation evaluation;
  };

  /// Searches along the quasi-Newton direction. The remembered steps are forgotten when they give
  /// no direction of descent or no lower point.
  std::optional<Lower> find_lower(const Eigen::ArrayXd& free) {
    Eigen::VectorXd direction = quasi_newton(steps_, here_.gradient, free);
    if (direction.dot(here_.gradient) >= 0) {
      steps_.clear();
      direction = quasi_newton(steps_, here_.gradient, free);
    }
    std::optional<Lower> lower = search_line(direction);
    if (lower || steps_.empty()) return lower;
    steps_.clear();
    return search_line(quasi_newton(steps_, here_.gradient, free));
  }

  /// Returns the first point along the projected direction that decreases the value sufficiently.
  std::optional<Lower> search_line(const Eigen::VectorXd& direction) {
    double length = 1;
    for (int i = 0; i < kShortenings; ++i) {
      Lower next{.at = (best_.at + length * direction).cwiseMax(low_).cwiseMin(high_),
                 .evaluation = {}};
      const double expected = here_.gradient.dot(next.at - best_.at);
      next.evaluation = function_(next.at);
      ++best_.evaluations;
      const double value = next.evaluation.value;
      const bool finite = std::isfinite(value);
      if (finite && value <= here_.value + kSufficientDecrease * expected) return next;
      const double rise = value - here_.value - expected;
      const double parabola = finite && rise > 0 ? -0.5 * expected / rise : 0.1;
      length *= std::min(0.5, std::max(0.1, parabola));
    }
    return std::nullopt;
  }

  void move_to(Lower lower) {
    Step step{.move = lower.at - best_.at, .turn = lower.evaluation.gradient - here_.gradient};
    if (step.move.dot(step.turn) > 1e-12 * step.turn.squaredNorm()) {
      steps_.push_back(std::move(step));
      if (steps_.size() > kMemory) steps_.pop_front();
    }
    best_.at = std::move(lower.at);
    best_.value = lower.evaluation.value;
    here_ = std::move(lower.evaluation);
  }

  const SmoothFunction& function_;
  const Eigen::VectorXd& low_;
  const Eigen::VectorXd& high_;
  Minimum best_;
  Evaluation here_;  // of best_.at
  std::deque<Step> steps_;
};

}  // namespace

Minimum minimize(const SmoothFunction& function, const Eigen::VectorXd& start,
                 const Eigen::VectorXd& low, const Eigen::VectorXd& high,
                 const LbfgsOptions& options) {
  return Minimization(function, start, low, high).run(options);
}

}  // namespace quantsearch::gp
