#include "optimizers/gp/output_warp.h"

#include <algorithm>
#include <cmath>

namespace quantsearch::gp {

namespace {

/// Returns the median; `values` is a copy that is reordered.
double median(Eigen::VectorXd values) {
  double* const middle = values.data() + values.size() / 2;
  std::nth_element(values.data(), middle, values.data() + values.size());
  return *middle;
}

/// Keeps values such as 1e300 out of the squares. Differences that far out do not matter.
constexpr double kFarthest = 1e9;
// A smaller spread counts as constant, because its inverse would not be finite.
constexpr double kLeastUnit = 1e-290;

}  // namespace

Standardized standardize(const Eigen::VectorXd& values) {
  Standardized result;
  const double greatest = values.cwiseAbs().maxCoeff();
  const double unit = greatest > kLeastUnit ? greatest : 1;
  const Eigen::ArrayXd shares = values.array() / unit;
  const double mean = shares.mean();
  const double deviation = std::sqrt((shares - mean).square().mean());
  // A deviation below 1e-14 is rounding error, so the values are constant.
  const double divisor = deviation > 1e-14 ? deviation : 1;
  result.values = ((shares - mean) / divisor).matrix();
  result.zero = -mean / divisor;
  result.scale = unit * divisor;
  return result;
}

Warped warp(const Eigen::VectorXd& values, int level) {
  const double least = values.minCoeff();
  double unit = median(values) - least;
  if (!(unit > kLeastUnit)) unit = (values.array() - least).mean();
  if (!(unit > kLeastUnit) || !std::isfinite(unit)) unit = 1;
  const Eigen::ArrayXd distance = ((values.array() - least) / unit).min(kFarthest);

  const double knee = level == 0 ? 0 : std::pow(10.0, (2 - level) / 2.0);
  const Eigen::ArrayXd bent = level == 0 ? distance : (distance / knee).log1p().eval();
  Eigen::ArrayXd slope = Eigen::ArrayXd::Constant(values.size(), 1 / unit);
  if (level > 0) slope = 1 / (unit * (knee + distance));

  const Standardized standard = standardize(bent.matrix());
  Warped result{.values = standard.values, .derivatives = (slope / standard.scale).matrix()};
  result.log_jacobian = result.derivatives.array().log().sum();
  return result;
}

}  // namespace quantsearch::gp
