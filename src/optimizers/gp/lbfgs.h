#pragma once

// Minimisation of a smooth function in a box by L-BFGS on the free variables (Nocedal & Wright
// 2006, algorithm 7.4) with the step projected onto the box (Bertsekas 1982).

#include <Eigen/Core>
#include <functional>

namespace quantsearch::gp {

struct Evaluation {
  double value = 0;
  Eigen::VectorXd gradient;
};
/// When it returns a value that is not finite, the step is shortened.
using SmoothFunction = std::function<Evaluation(const Eigen::VectorXd& at)>;

struct LbfgsOptions {
  int iterations = 50;
  double gradient_tolerance = 1e-2;  // greatest component of the projected gradient
  double relative_decrease = 1e-7;   // of the value in one iteration
};

struct Minimum {
  Eigen::VectorXd at;
  double value = 0;
  int evaluations = 0;
};
/// `start` is clipped to the box. A start whose value is not finite is returned unchanged.
[[nodiscard]] Minimum minimize(const SmoothFunction& function, const Eigen::VectorXd& start,
                               const Eigen::VectorXd& low, const Eigen::VectorXd& high,
                               const LbfgsOptions& options = {});

}  // namespace quantsearch::gp
