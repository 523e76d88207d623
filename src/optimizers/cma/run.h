#pragma once

// The state machine of CMA-ES: members gather until a generation is full, which moves the
// distribution; a run that has nothing more to find is followed by one with another population. A
// value: copying it is cheap, so that a step can be tried and thrown away.

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

/// Lower is better: feasible points by their objective, then infeasible ones by the sum of what
/// they violate, then failed ones.
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

/// What points are drawn from.
struct CmaDistribution {
  CmaGaussian gaussian;
  CmaMargin margin;
  CmaCategories categories;
  std::optional<CmaLearningRates> rates = {};

  /// Redrawn at most 10 times a number until it is inside the box, then clipped.
  [[nodiscard]] CmaDraw draw(const CmaEncoding& encoding, RandomStream& random) const;
  /// `members` best first.
  void update(const CmaStrategy& strategy, const std::vector<CmaMember>& members);
};

/// Where the first run starts, numbers on the unit axes.
struct CmaStart {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;  // including the step
  std::vector<Eigen::VectorXd> shares;
};
/// The middle of the box, 0.12 of its width, all categories alike.
[[nodiscard]] CmaStart default_start(const CmaEncoding& encoding);
/// From the options, which are checked: throws InvalidInput.
[[nodiscard]] CmaStart cma_start(const Domain& domain, const CmaEncoding& encoding,
                                 const CmaOptions& options);

class CmaRun {
 public:
  /// `encoding` outlives this.
  CmaRun(const CmaEncoding& encoding, const CmaOptions& options, const CmaStart& start);

  [[nodiscard]] const CmaDistribution& distribution() const { return *current_; }
  /// The distributions of the last generations of this run, latest first.
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
