#pragma once

// Black-box optimizers with a common ask/tell interface. All of them minimise; to maximise, tell
// the negated value. They work on numeric domains (domain.h).
//
// Contract of every optimizer:
//  - ask() is a pure function of its options, of the observations told so far in the order they
//    were told, of `number` and of `pending`: its random stream is RandomStream(seed, number,
//    "name").
//  - ask() returns a canonical point of the domain that was neither told nor is pending. A domain
//    of real numbers always has one. nullopt means that a bounded number of draws found none; a
//    small domain has none left then.
//  - Observations may come in any order, and from points that others proposed (earlier runs, other
//    workers).
//  - Failed observations only mark their point as visited, unless an optimizer says more.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

enum class Outcome { complete, pruned, failed };

struct Observation {
  std::int64_t number = 0;  // of the trial
  Coordinates at;           // canonical
  Outcome outcome = Outcome::complete;
  // Finite, to be minimised; empty when the trial failed, the estimate so far when it was pruned.
  std::vector<double> objectives = {};
  std::vector<double> constraints = {};  // feasible when every one is <= 0
  double variance = 0;  // of objectives[0]: its known squared standard error; 0 means exact
};

struct Pending {
  std::int64_t number = 0;
  Coordinates at;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  [[nodiscard]] virtual std::optional<Coordinates> ask(std::int64_t number,
                                                       std::span<const Pending> pending) = 0;
  virtual void tell(const Observation& observation) = 0;
};

struct RandomOptions {
  std::uint64_t seed = 0;
};
/// Uniform in the transformed box (samplers of Bergstra & Bengio 2012).
[[nodiscard]] std::unique_ptr<Optimizer> random_optimizer(Domain domain,
                                                          const RandomOptions& options = {});

enum class QmcKind { sobol, halton };
struct QmcOptions {
  std::uint64_t seed = 0;
  QmcKind kind = QmcKind::sobol;
  bool scramble = true;  // Owen 1995, hashed (Laine & Karras 2011; Burley 2020)
};
/// Proposes low-discrepancy points. Trial `number` gets the point of that index, so that workers
/// need no shared counter.
[[nodiscard]] std::unique_ptr<Optimizer> qmc_optimizer(Domain domain,
                                                       const QmcOptions& options = {});

struct TpeOptions {
  std::uint64_t seed = 0;
  std::size_t objectives = 1;
  std::int64_t startup_trials = 10;
  std::int64_t candidates = 24;
  /// Whether candidates are drawn jointly. Absent: jointly for one objective, each dimension alone
  /// for several.
  std::optional<bool> multivariate = {};
  /// Whether pending points count as bad. Absent: with several objectives only. With one objective
  /// the best trials get more weight instead while points are pending, which loses less
  /// (docs/algorithms/samplers/tpe.md).
  std::optional<bool> constant_liar = {};
};
/// Tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127), with
/// several objectives (Ozaki et al. 2022) and constraints.
[[nodiscard]] std::unique_ptr<Optimizer> tpe_optimizer(Domain domain,
                                                       const TpeOptions& options = {});

struct CmaOptions {
  std::uint64_t seed = 0;
  enum class Restarts { none, ipop, bipop } restarts = Restarts::ipop;
  bool learning_rate_adaptation = false;  // Nomura et al. 2023, for noise and many optima
  std::int64_t population = 0;            // 0: 4 + floor(3 ln d)
  /// Initial mean; absent: the middle of the box.
  std::optional<Coordinates> mean = {};
  double sigma = 0;  // initial step as a share of the unit box; 0: 0.12
};
/// CMA-ES (Hansen 2016), with margin for stepped dimensions (Hamano et al. 2022). Domains with
/// categories use the mixed form (CatCMA with margin, Hamano et al. 2025, arXiv 2504.07884). It
/// supports one objective; infeasible points rank after feasible ones, by their violation. Throws
/// InvalidInput for a mean, sigma or population out of range.
[[nodiscard]] std::unique_ptr<Optimizer> cma_optimizer(Domain domain,
                                                       const CmaOptions& options = {});

struct GpOptions {
  std::uint64_t seed = 0;
  std::size_t objectives = 1;
  std::int64_t startup_trials = 10;
  bool deterministic_objective = false;  // do not fit noise
};
/// Gaussian process with a Matern 5/2 kernel and log expected improvement (Ament et al. 2023).
/// Pending points are handled by Monte Carlo, constraints by the probability of feasibility, and
/// several objectives by expected hypervolume improvement. Throws Unsupported for more than 3
/// objectives or none; tell() throws InvalidInput for an observation with another number of
/// objectives.
[[nodiscard]] std::unique_ptr<Optimizer> gp_optimizer(Domain domain, const GpOptions& options = {});

struct NsgaOptions {
  std::uint64_t seed = 0;
  std::size_t objectives = 2;
  std::int64_t population = 50;
  bool reference_points = false;  // NSGA-III (Deb & Jain 2014) instead of NSGA-II (Deb et al. 2002)
  std::int64_t offspring = 1;  // trials between two selections; equal to `population`: generations
};
/// Genetic algorithm for several objectives, with constraints (infeasible points rank after
/// feasible ones, by their violation). Pruned trials do not become parents. Throws InvalidInput for
/// no objectives, a population below 2 or no offspring; tell() throws it for an observation with
/// another number of objectives.
[[nodiscard]] std::unique_ptr<Optimizer> nsga_optimizer(Domain domain,
                                                        const NsgaOptions& options = {});

struct AutoOptions {
  std::uint64_t seed = 0;
  std::size_t objectives = 1;
  std::optional<std::int64_t> budget = {};  // total number of trials expected
  std::int64_t workers = 1;
};
/// Chooses and switches optimizers by the budget, the number of objectives and whether the domain
/// is conditional (docs/search.md describes the rule and its measurements).
[[nodiscard]] std::unique_ptr<Optimizer> auto_optimizer(Domain domain,
                                                        const AutoOptions& options = {});

}  // namespace quantsearch
