#pragma once

// Stop tests for a run of CMA-ES, and the populations of the runs that follow (IPOP: Auger & Hansen
// 2005; BIPOP: Hansen 2009).

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "optimizers/cma/gaussian.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

/// The stop tests of one run.
class CmaStopTests {
 public:
  CmaStopTests(Eigen::Index dimensions, Eigen::Index population, double first_sigma);

  /// Adds the scores of the best and the worst member of a generation.
  void see(double best, double worst);
  /// True when the last generations made no progress, when the deviations are negligible or too
  /// large, or when the covariance is numerically degenerate.
  [[nodiscard]] bool should_stop(const CmaGaussian& gaussian) const;

 private:
  [[nodiscard]] bool is_flat() const;

  std::size_t window_ = 0;      // generations
  std::vector<double> scores_;  // ring buffer of best and worst scores
  std::size_t seen_ = 0;
  double first_sigma_ = 0;
};

/// The population sizes of successive runs.
class CmaRestartPlan {
 public:
  CmaRestartPlan(CmaOptions::Restarts kind, Eigen::Index first_population)
      : kind_(kind), first_population_(first_population), population_(first_population) {}

  [[nodiscard]] bool restarts() const { return kind_ != CmaOptions::Restarts::none; }
  [[nodiscard]] Eigen::Index population() const { return population_; }
  [[nodiscard]] std::int64_t run() const { return run_; }
  /// Plans the next run after one that took `evaluations`; `random` determines the size of small
  /// populations.
  void next(std::int64_t evaluations, RandomStream& random);

 private:
  void next_bipop(std::int64_t evaluations, RandomStream& random);

  CmaOptions::Restarts kind_;
  Eigen::Index first_population_;
  Eigen::Index population_;
  std::int64_t run_ = 0;
  int doublings_ = 0;
  bool is_small_ = false;
  std::int64_t spent_large_ = 0;
  std::int64_t spent_small_ = 0;
};

}  // namespace quantsearch
