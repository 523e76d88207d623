#include <fmt/format.h>

#include <cmath>

#include "optimizers/cma/run.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

// First deviation as a share of the width of the box. Among 0.12, 1/6 and 0.25, the value 0.12 has
// the best medians at 50 trials on eight of the nine problems of sampler_bench
// (docs/algorithms/samplers/cma.md).
constexpr double kFirstDeviation = 0.12;

[[noreturn]] void refuse(const std::string& option, const std::string& got,
                         const std::string& expected) {
  throw InvalidInput(
      fmt::format("cma-es: the option \"{}\" is {}, expected {}", option, got, expected));
}

void check_mean(const Domain& domain, const Coordinates& mean) {
  if (mean.size() != domain.dimensions.size()) {
    refuse("mean", fmt::format("{} numbers", mean.size()),
           fmt::format("{}, one for each dimension", domain.dimensions.size()));
  }
  const std::vector<Axis> axes = axes_of(domain);
  for (std::size_t i = 0; i < mean.size(); ++i) {
    if (!is_active(mean[i]) || (mean[i] >= axes[i].first() && mean[i] <= axes[i].last())) continue;
    refuse("mean", fmt::format("{} in dimension {}", mean[i], i),
           fmt::format("a number from {} to {}", axes[i].first(), axes[i].last()));
  }
}

/// Returns shares in which the category of the mean has as much weight as all others together.
Eigen::VectorXd leaning(Eigen::Index count, Eigen::Index category) {
  Eigen::VectorXd shares = Eigen::VectorXd::Constant(count, 0.5 / static_cast<double>(count - 1));
  shares[category] = 0.5;
  return shares;
}

}  // namespace

CmaStart default_start(const CmaEncoding& encoding) {
  const Eigen::Index numbers = encoding.numbers();
  CmaStart start{
      .mean = Eigen::VectorXd::Constant(numbers, 0.5),
      .covariance = Eigen::MatrixXd::Identity(numbers, numbers) * kFirstDeviation * kFirstDeviation,
      .shares = {}};
  for (std::size_t name = 0; name < encoding.names(); ++name) {
    const int count = encoding.count(name);
    start.shares.push_back(Eigen::VectorXd::Constant(count, 1.0 / count));
  }
  return start;
}

CmaStart cma_start(const Domain& domain, const CmaEncoding& encoding, const CmaOptions& options) {
  CmaStart start = default_start(encoding);
  if (!(options.sigma >= 0) || !std::isfinite(options.sigma))
    refuse("sigma", fmt::format("{}", options.sigma), "a number above 0, or 0 for the default");
  if (options.population < 0 || options.population == 1)
    refuse("population", fmt::format("{}", options.population), "at least 2, or 0 for the default");
  if (options.sigma > 0) start.covariance *= std::pow(options.sigma / kFirstDeviation, 2);
  if (options.mean) {
    check_mean(domain, *options.mean);
    const CmaDraw draw = encoding.draw(*options.mean, start.mean);
    start.mean = draw.positions;
    for (std::size_t name = 0; name < encoding.names(); ++name) {
      if (draw.categories[name] >= 0)
        start.shares[name] = leaning(encoding.count(name), draw.categories[name]);
    }
  }
  return start;
}

}  // namespace quantsearch
