// Bayesian optimisation with Gaussian processes (docs/algorithms/samplers/gp.md).

#include <fmt/format.h>

#include <algorithm>

#include "optimizers/gp/build_surrogate.h"
#include "optimizers/gp/history.h"
#include "optimizers/gp/maximize.h"
#include "optimizers/visited.h"
#include "quantsearch/base/error.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

namespace gp {
namespace {

// The number of hypervolume boxes grows exponentially with it.
constexpr std::size_t kMostObjectives = 3;

class GpOptimizer final : public Optimizer {
 public:
  GpOptimizer(Domain domain, const GpOptions& options)
      : domain_(std::move(domain)),
        axes_(axes_of(domain_)),
        features_(axes_),
        visited_(domain_),
        options_(options),
        startup_(static_cast<std::size_t>(std::max<std::int64_t>(2, options.startup_trials))) {}
  GpOptimizer(const GpOptimizer&) = delete;
  GpOptimizer& operator=(const GpOptimizer&) = delete;

  std::optional<Coordinates> ask(std::int64_t number, std::span<const Pending> pending) override {
    RandomStream random(options_.seed, number, "gp");
    if (observations_.size() < startup_ || features_.dimensions() == 0) {
      return visited_.random_fresh(axes_, random, pending);
    }
    catch_up();
    const BuiltSurrogate built =
        build_surrogate({.observations = relevant(observations_, observations_.size()),
                         .features = features_,
                         .fits = fits_,
                         .objectives = options_.objectives,
                         .pending = pending},
                        random);
    const Landscape landscape{.domain = domain_,
                              .axes = axes_,
                              .features = features_,
                              .visited = visited_,
                              .pending = pending,
                              .incumbents = built.incumbents,
                              .region = region(number, built.incumbents, pending.size())};
    if (auto best = maximize(built.surrogate, landscape, random)) return best;
    return visited_.random_fresh(axes_, random, pending);
  }

  void tell(const Observation& observation) override {
    visited_.add(observation.at);
    if (observation.outcome == Outcome::failed) return;
    if (observation.objectives.size() != options_.objectives) {
      throw InvalidInput(
          fmt::format("gp: trial {} has {} objectives, the optimizer was made for {}",
                      observation.number, observation.objectives.size(), options_.objectives));
    }
    observations_.push_back(observation);
  }

 private:
  /// Every other trial uses a trust region.
  [[nodiscard]] std::optional<TrustRegion> region(std::int64_t number,
                                                  const std::vector<Coordinates>& incumbents,
                                                  std::size_t pending) const {
    if (options_.objectives > 1 || number % 2 == 0) return std::nullopt;
    return TrustRegion{
        .centre = incumbents.front(),
        .width = trust_width(observations_, startup_,
                             static_cast<std::size_t>(features_.dimensions()), pending)};
  }

  [[nodiscard]] FitOptions fit_options(std::size_t output) const {
    return {.noise_is_fitted = !options_.deterministic_objective || output >= options_.objectives,
            .is_warped = options_.objectives == 1 && output == 0};
  }

  /// Makes the fits that are due since the last ask. When they are due depends on the order of the
  /// observations and not on when ask() was called.
  void catch_up() {
    const std::vector<FitPoint> points = fit_points(startup_, observations_.size());
    std::size_t begin = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].observations == fitted_at_) begin = i + 1;
    }
    for (std::size_t i = begin; i < points.size(); ++i) {
      if (points[i].from_scratch) begin = i;
    }
    const std::size_t outputs = options_.objectives + constraint_count(observations_);
    fits_.resize(outputs);
    for (std::size_t i = begin; i < points.size(); ++i) {
      const auto kept = relevant(observations_, points[i].observations);
      for (std::size_t output = 0; output < outputs; ++output) {
        const Series series = series_of(kept, features_, options_.objectives, output);
        if (series.values.size() == 0) continue;
        FitOptions options = fit_options(output);
        const bool is_first = points[i].from_scratch || fits_[output].logarithms.size() == 0;
        if (!is_first) options.previous = &fits_[output];
        fits_[output] = fit(series, options);
      }
      fitted_at_ = points[i].observations;
    }
  }

  const Domain domain_;
  const std::vector<Axis> axes_;
  const FeatureMap features_;
  Visited visited_;
  const GpOptions options_;
  const std::size_t startup_;
  std::vector<Observation> observations_;  // not failed
  std::vector<Fit> fits_;                  // of each output
  std::size_t fitted_at_ = 0;
};

}  // namespace
}  // namespace gp

std::unique_ptr<Optimizer> gp_optimizer(Domain domain, const GpOptions& options) {
  check(domain);
  if (options.objectives < 1 || options.objectives > gp::kMostObjectives) {
    throw Unsupported(
        fmt::format("gp: {} objectives are not supported, expected 1 to {}; use nsga or tpe",
                    options.objectives, gp::kMostObjectives));
  }
  return std::make_unique<gp::GpOptimizer>(std::move(domain), options);
}

}  // namespace quantsearch
