#pragma once

// What a point is worth, from the marginals of all outputs there: the logarithm of an expected
// improvement (improvement.h), of one objective or of the dominated hypervolume, times the
// probability of being feasible.

#include <Eigen/Core>
#include <memory>
#include <optional>
#include <vector>

namespace quantsearch::gp {

/// Marginals are laid out as: the scenarios of the first objective, the other objectives, the
/// constraints (means); the objectives, the constraints (variances).
struct Worth {
  double value = 0;
  Eigen::VectorXd by_means;
  Eigen::VectorXd by_variances;
};

class Acquisition {
 public:
  virtual ~Acquisition() = default;
  [[nodiscard]] virtual Worth operator()(const Eigen::VectorXd& means,
                                         const Eigen::VectorXd& variances) const = 0;
  /// Not less than the worth of these means under any variances up to these.
  [[nodiscard]] virtual double bound(const Eigen::VectorXd& means,
                                     const Eigen::VectorXd& greatest_variances) const = 0;
};

/// ln of the expected improvement below `incumbents` (one of each scenario; absent: nothing was
/// feasible yet and only feasibility counts), averaged over the scenarios, plus ln of the
/// probability that each constraint is below its limit.
[[nodiscard]] std::unique_ptr<Acquisition> log_constrained_improvement(
    std::optional<Eigen::VectorXd> incumbents, Eigen::Index scenarios, std::vector<double> limits);

/// ln of the expected gain of hypervolume below `reference` over a front of minimised objectives
/// (points that do not dominate each other), plus feasibility as above. Exact for independent
/// objectives: the region that is not dominated is cut into boxes, the gain within a box is a
/// product of differences of expected improvements (Yang et al. 2019). No front and no reference:
/// only feasibility counts.
[[nodiscard]] std::unique_ptr<Acquisition> log_hypervolume_improvement(
    const std::vector<std::vector<double>>& front, const std::vector<double>& reference,
    std::vector<double> limits);

/// A box below `high` and not below `low` (-infinity: open).
struct Box {
  std::vector<double> low;
  std::vector<double> high;
};
/// The region below `reference` that no point of the front dominates, as disjoint boxes.
[[nodiscard]] std::vector<Box> non_dominated_boxes(const std::vector<std::vector<double>>& front,
                                                   const std::vector<double>& reference);

}  // namespace quantsearch::gp
