#include "optimizers/cma/categories.h"

#include <algorithm>
#include <cmath>

namespace quantsearch {

namespace {

constexpr double kTiny = 1e-8;
// Alpha: squared length of the path at which the step is appropriate.
constexpr double kSignal = 1.5;

}  // namespace

CmaCategories::CmaCategories(std::vector<Eigen::VectorXd> shares, double margin)
    : shares_(std::move(shares)), margin_(margin) {
  Eigen::Index free = 0;
  for (const Eigen::VectorXd& share : shares_) free += share.size() - 1;
  free_ = static_cast<double>(free);
  path_ = Eigen::VectorXd::Zero(free);
}

std::vector<int> CmaCategories::draw(RandomStream& random) const {
  std::vector<int> chosen;
  chosen.reserve(shares_.size());
  for (const Eigen::VectorXd& share : shares_) {
    double left = random.uniform();
    int index = 0;
    while (index + 1 < share.size() && left >= share[index]) left -= share[index++];
    chosen.push_back(index);
  }
  return chosen;
}

std::vector<Eigen::VectorXd> CmaCategories::gradient(
    const CmaStrategy& strategy, const std::vector<std::vector<int>>& chosen) const {
  std::vector<Eigen::VectorXd> gradient;
  gradient.reserve(shares_.size());
  for (std::size_t dimension = 0; dimension < shares_.size(); ++dimension) {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(shares_[dimension].size());
    for (Eigen::Index rank = 0; rank < strategy.parents; ++rank) {
      const int index = chosen[static_cast<std::size_t>(rank)][dimension];
      if (index < 0) continue;
      sum -= strategy.weights[rank] * shares_[dimension];
      sum[index] += strategy.weights[rank];
    }
    gradient.push_back(std::move(sum));
  }
  return gradient;
}

/// Returns the square root of the Fisher information times the gradient (Akimoto et al., appendix
/// B).
Eigen::VectorXd CmaCategories::in_fisher_metric(
    const std::vector<Eigen::VectorXd>& gradient) const {
  Eigen::VectorXd all(path_.size());
  Eigen::Index at = 0;
  for (std::size_t dimension = 0; dimension < shares_.size(); ++dimension) {
    const Eigen::Index free = shares_[dimension].size() - 1;
    const Eigen::ArrayXd root = shares_[dimension].head(free).array().sqrt();
    const Eigen::ArrayXd change = gradient[dimension].head(free).array();
    const double last = shares_[dimension][free];
    all.segment(at, free) = change / root + root * (change.sum() / (last + std::sqrt(last)));
    at += free;
  }
  return all;
}

void CmaCategories::adapt_step(const Eigen::VectorXd& direction) {
  // A rate above 1 is possible only with a single free parameter and a misleading start. The
  // formulas of the paper are not defined there.
  step_ = 1 / slowness_;
  const double rate = std::min(1.0, step_ / std::sqrt(free_));
  path_ = (1 - rate) * path_ + std::sqrt(rate * (2 - rate)) * direction;
  path_mass_ = (1 - rate) * (1 - rate) * path_mass_ + rate * (2 - rate);
  slowness_ *= std::exp(rate * (path_mass_ - path_.squaredNorm() / kSignal));
}

void CmaCategories::keep_margin() {
  for (Eigen::VectorXd& share : shares_) {
    const double count = static_cast<double>(share.size());
    const double floor = margin_ / (count - 1);
    share = share.cwiseMax(floor);
    const double sum = share.sum();
    const double above = sum - floor * count;
    if (above > 0) share.array() -= (sum - 1) * (share.array() - floor) / above;
    share /= share.sum();
  }
}

void CmaCategories::update(const CmaStrategy& strategy,
                           const std::vector<std::vector<int>>& chosen) {
  if (shares_.empty()) return;
  const std::vector<Eigen::VectorXd> change = gradient(strategy, chosen);
  const Eigen::VectorXd direction = in_fisher_metric(change);
  const double length = direction.norm();
  if (length == 0) return;
  const double step = step_ / (length + kTiny);
  for (std::size_t dimension = 0; dimension < shares_.size(); ++dimension)
    shares_[dimension] += step * change[dimension];
  adapt_step(direction / length);
  keep_margin();
}

}  // namespace quantsearch
