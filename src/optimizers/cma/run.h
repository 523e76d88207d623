#pragma once

// The state machine of CMA-ES. Members are collected until a generation is full, which updates the
// distribution. When a run has converged, the next one starts with another population. CmaRun is a
// value type that is cheap to copy, so that a step can be tried and discarded.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "optimizers/cma/categories.h"
#include "optimizers/cma/encoding.h"
#include "optimizers/cma/gaussian.h"
#include "optimizers/cma/learning_rates.h"
#include "optimizers/cma/margin.h"
#include "optimizers/cma/restarts.h"
#include "optimizers/cma/strategy.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

/// Lower is better: feasible points by their objective, then infeasible ones by the sum of their
/// violations, then failed ones.
struct CmaScore {
  enum class Kind { feasible, infeasible, failed } kind = Kind::failed;
  double value = 0;
  auto operator<=>(const CmaScore&) const = default;
};
[[nodiscard]] CmaScore score_of(const Observation& observation);

struct CmaMember {
  CmaDraw draw;
  CmaScore score;
};

/// The distribution that points are drawn from.
struct CmaDistribution {
  CmaGaussian gaussian;
  CmaMargin margin;
  CmaCategories categories;
  std::optional<CmaLearningRates> rates = {};

  /// Draws until the point is inside the box, at most 10 times for each numeric dimension, then
  /// clips it.
  [[nodiscard]] CmaDraw draw(const CmaEncoding& encoding, RandomStream& random) const;
  /// `members` best first.
  void update(const CmaStrategy& strategy, const std::vector<CmaMember>& members);
};

/// The initial distribution of the first run; numeric dimensions are on their unit axes.
struct CmaStart {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;  // including the step
  std::vector<Eigen::VectorXd> shares;
};
/// Returns a start in the middle of the box, with a deviation of 0.12 of its width and equal
/// probabilities for all categories.
[[nodiscard]] CmaStart default_start(const CmaEncoding& encoding);
/// Returns the start that the options describe. Throws InvalidInput for a mean, sigma or population
/// out of range.
[[nodiscard]] CmaStart cma_start(const Domain& domain, const CmaEncoding& encoding,
                                 const CmaOptions& options);

class CmaRun {
 public:
  /// `encoding` must outlive this object.
  CmaRun(const CmaEncoding& encoding, const CmaOptions& options, const CmaStart& start);

  [[nodiscard]] const CmaDistribution& distribution() const { return *current_; }
  /// The distributions of the previous generations of this run, latest first.
  [[nodiscard]] const std::vector<std::shared_ptr<const CmaDistribution>>& earlier() const {
    return earlier_;
  }
  [[nodiscard]] Eigen::Index population() const { return strategy_->population; }
  [[nodiscard]] std::int64_t generation() const { return generation_; }
  [[nodiscard]] std::int64_t restarts() const { return plan_.run(); }

  void add(CmaMember member);

 private:
  void close_generation();
  void restart();
  void begin(const CmaStart& start, Eigen::Index population);

  const CmaEncoding* encoding_;
  std::uint64_t seed_ = 0;
  bool adapts_rates_ = false;
  std::shared_ptr<const CmaStrategy> strategy_;
  std::shared_ptr<const CmaDistribution> current_;
  std::vector<std::shared_ptr<const CmaDistribution>> earlier_;
  std::vector<CmaMember> members_;
  CmaStopTests tests_;
  CmaRestartPlan plan_;
  std::int64_t generation_ = 0;   // of all runs
  std::int64_t evaluations_ = 0;  // of this run
};

}  // namespace quantsearch
