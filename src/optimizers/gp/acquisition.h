#pragma once

// The acquisition value ("worth") of a point, computed from the marginals of all outputs at that
// point: the logarithm of an expected improvement (improvement.h) of one objective or of the
// dominated hypervolume, times the probability of being feasible.

#include <Eigen/Core>
#include <memory>
#include <optional>
#include <vector>

namespace quantsearch::gp {

/// Layout of the marginals: means contain the scenarios of the first objective, the other
/// objectives and the constraints; variances contain the objectives and the constraints.
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
  /// Returns an upper bound of the worth for these means and any variances up to these.
  [[nodiscard]] virtual double bound(const Eigen::VectorXd& means,
                                     const Eigen::VectorXd& greatest_variances) const = 0;
};

/// Returns ln of the expected improvement over `incumbents`, averaged over the scenarios, plus ln
/// of the probability that each constraint is below its limit. `incumbents` has one value for each
/// scenario; when it is absent, no point was feasible yet and only feasibility counts.
[[nodiscard]] std::unique_ptr<Acquisition> log_constrained_improvement(
    std::optional<Eigen::VectorXd> incumbents, Eigen::Index scenarios, std::vector<double> limits);

/// Returns ln of the expected gain of hypervolume below `reference` over a front of minimised
/// objectives (points that do not dominate each other), plus feasibility as above. It is exact for
/// independent objectives: the region that is not dominated is divided into boxes, and the gain
/// within a box is a product of differences of expected improvements (Yang et al. 2019). Without a
/// front and a reference only feasibility counts.
[[nodiscard]] std::unique_ptr<Acquisition> log_hypervolume_improvement(
    const std::vector<std::vector<double>>& front, const std::vector<double>& reference,
    std::vector<double> limits);

/// A box below `high` and not below `low`, which is -infinity where the box is unbounded.
struct Box {
  std::vector<double> low;
  std::vector<double> high;
};
/// The region below `reference` that no point of the front dominates, as disjoint boxes.
[[nodiscard]] std::vector<Box> non_dominated_boxes(const std::vector<std::vector<double>>& front,
                                                   const std::vector<double>& reference);

}  // namespace quantsearch::gp
