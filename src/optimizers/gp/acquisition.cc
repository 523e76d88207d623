#include "optimizers/gp/acquisition.h"

#include <cmath>

#include "optimizers/gp/feasibility.h"
#include "optimizers/gp/improvement.h"

namespace quantsearch::gp {

namespace {

class ConstrainedImprovement final : public Acquisition {
 public:
  ConstrainedImprovement(std::optional<Eigen::VectorXd> incumbents, Eigen::Index scenarios,
                         std::vector<double> limits)
      : incumbents_(std::move(incumbents)), scenarios_(scenarios), limits_(std::move(limits)) {}

  Worth operator()(const Eigen::VectorXd& means, const Eigen::VectorXd& variances) const override {
    Worth worth{.by_means = Eigen::VectorXd::Zero(means.size()),
                .by_variances = Eigen::VectorXd::Zero(variances.size())};
    if (incumbents_) add_improvement(worth, means, variances[0]);
    add_feasibility(worth, means, variances, limits_);
    return worth;
  }

  double bound(const Eigen::VectorXd& means,
               const Eigen::VectorXd& greatest_variances) const override {
    double improvement = 0;
    if (incumbents_) {
      // Expected improvement increases with the variance.
      Worth worth{.by_means = Eigen::VectorXd::Zero(means.size()),
                  .by_variances = Eigen::VectorXd::Zero(greatest_variances.size())};
      add_improvement(worth, means, greatest_variances[0]);
      improvement = worth.value;
    }
    return improvement + feasibility_bound(means, greatest_variances, limits_);
  }

 private:
  /// Adds ln of the mean over the scenarios. The greatest value is factored out of the
  /// exponentials.
  void add_improvement(Worth& worth, const Eigen::VectorXd& means, double variance) const {
    std::vector<LogImprovement> each(static_cast<std::size_t>(scenarios_));
    double greatest = -std::numeric_limits<double>::infinity();
    for (Eigen::Index i = 0; i < scenarios_; ++i) {
      LogImprovement& own = each[static_cast<std::size_t>(i)];
      own = log_expected_improvement(means[i], variance, (*incumbents_)[i]);
      greatest = std::max(greatest, own.value);
    }
    double sum = 0;
    for (const LogImprovement& own : each) sum += std::exp(own.value - greatest);
    worth.value += greatest + std::log(sum / static_cast<double>(scenarios_));
    for (Eigen::Index i = 0; i < scenarios_; ++i) {
      const LogImprovement& own = each[static_cast<std::size_t>(i)];
      const double share = std::exp(own.value - greatest) / sum;
      worth.by_means[i] += share * own.by_mean;
      worth.by_variances[0] += share * own.by_variance;
    }
  }

  const std::optional<Eigen::VectorXd> incumbents_;
  const Eigen::Index scenarios_;
  const std::vector<double> limits_;
};

}  // namespace

std::unique_ptr<Acquisition> log_constrained_improvement(std::optional<Eigen::VectorXd> incumbents,
                                                         Eigen::Index scenarios,
                                                         std::vector<double> limits) {
  return std::make_unique<ConstrainedImprovement>(std::move(incumbents), scenarios,
                                                  std::move(limits));
}

}  // namespace quantsearch::gp
