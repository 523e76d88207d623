#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "optimizers/cma/encoding.h"
#include "optimizers/cma/run.h"
#include "optimizers/visited.h"

namespace quantsearch {

namespace {

/// Number of draws from the distribution in one ask before it falls back to random points.
constexpr int kDraws = 100;
/// Number of new points that a told trial may have drawn before its own and skipped because they
/// were pending at that time.
constexpr int kOthers = 8;
/// Number of draws that are compared to recognize a trial of an earlier generation.
constexpr int kLateDraws = 8;

bool same(const Coordinates& one, const Coordinates& other) {
  return std::ranges::equal(
      one, other, [](double a, double b) { return a == b || (!is_active(a) && !is_active(b)); });
}

bool is_pending(const Coordinates& point, std::span<const Pending> pending) {
  return std::ranges::any_of(pending, [&](const Pending& other) { return same(other.at, point); });
}

class CmaOptimizer final : public Optimizer {
 public:
  CmaOptimizer(Domain domain, const CmaOptions& options)
      : domain_(std::move(domain)),
        axes_(axes_of(domain_)),
        encoding_(domain_),
        visited_(domain_),
        seed_(options.seed),
        run_(encoding_, options, cma_start(domain_, encoding_, options)) {}
  CmaOptimizer(const CmaOptimizer&) = delete;
  CmaOptimizer& operator=(const CmaOptimizer&) = delete;

  std::optional<Coordinates> ask(std::int64_t number, std::span<const Pending> pending) override {
    if (auto proposal = propose(number, pending, nullptr)) return std::move(proposal->at);
    RandomStream random(seed_, number, "cma.fallback");
    return visited_.random_fresh(axes_, random, pending);
  }

  void tell(const Observation& observation) override {
    const CmaScore score = score_of(observation);
    join(observation, score);
    visited_.add(observation.at);
    known_.try_emplace(key_of_coordinates(observation.at), score);
    if (score.kind != CmaScore::Kind::failed) best_ = std::min(best_, score);
  }

 private:
  struct Proposal {
    Coordinates at;
    CmaDraw draw;
    std::optional<CmaRun> advanced;  // the run after adding the known points drawn before this one
  };

  /// Returns the first new point that trial `number` draws. Known points drawn before it join the
  /// generation as if they had been run again. With `wanted` the search continues until this point
  /// is drawn.
  [[nodiscard]] std::optional<Proposal> propose(std::int64_t number,
                                                std::span<const Pending> pending,
                                                const Coordinates* wanted) const {
    RandomStream random(seed_, number, "cma");
    std::optional<CmaRun> advanced;
    int others = 0;
    for (int i = 0; i < kDraws; ++i) {
      const CmaRun& run = advanced ? *advanced : run_;
      CmaDraw draw = run.distribution().draw(encoding_, random);
      const Coordinates point = encoding_.point(draw);
      const std::optional<Coordinates> canonical =
          domain_.canonical ? domain_.canonical(point) : point;
      CmaScore score;
      if (canonical) {
        const auto found = known_.find(key_of_coordinates(*canonical));
        if (found == known_.end()) {
          if (wanted == nullptr ? is_pending(*canonical, pending) : !same(*canonical, *wanted)) {
            if (wanted != nullptr && ++others > kOthers) return std::nullopt;
            continue;
          }
          return Proposal{*canonical, std::move(draw), std::move(advanced)};
        }
        score = found->second;
      }
      if (!advanced) advanced = run_;
      advanced->add({std::move(draw), score});
    }
    return std::nullopt;
  }

  /// Returns the draw of a trial that was proposed some generations ago; nullopt when it is not
  /// recognized.
  [[nodiscard]] std::optional<CmaDraw> late_draw(const Observation& observation) const {
    for (const auto& distribution : run_.earlier()) {
      RandomStream random(seed_, observation.number, "cma");
      for (int i = 0; i < kLateDraws; ++i) {
        CmaDraw draw = distribution->draw(encoding_, random);
        const Coordinates point = encoding_.point(draw);
        const std::optional<Coordinates> canonical =
            domain_.canonical ? domain_.canonical(point) : point;
        if (canonical && same(*canonical, observation.at)) return draw;
      }
    }
    return std::nullopt;
  }

  void join(const Observation& observation, const CmaScore& score) {
    if (encoding_.is_empty() || known_.contains(key_of_coordinates(observation.at))) return;
    if (auto own = propose(observation.number, {}, &observation.at)) {
      if (own->advanced) run_ = *std::move(own->advanced);
      run_.add({std::move(own->draw), score});
    } else if (auto late = late_draw(observation)) {
      run_.add({within_reach(*std::move(late)), score});
    } else if (score < best_) {
      const Eigen::VectorXd& mean = run_.distribution().gaussian.mean;
      run_.add({within_reach(encoding_.draw(observation.at, mean)), score});
    }
  }

  /// Shortens the step to a point that the distribution did not draw to the length that a draw may
  /// have (Hansen 2011, "Injecting External Solutions Into CMA-ES", arXiv 1110.4181, section 3).
  [[nodiscard]] CmaDraw within_reach(CmaDraw draw) const {
    if (encoding_.numbers() == 0) return draw;
    const CmaGaussian& gaussian = run_.distribution().gaussian;
    const double n = static_cast<double>(encoding_.numbers());
    const double reach = std::sqrt(n) + 2 * n / (n + 2);
    const double distance = gaussian.distance(draw.positions);
    if (distance > reach)
      draw.positions = gaussian.mean + (draw.positions - gaussian.mean) * (reach / distance);
    return draw;
  }

  const Domain domain_;
  const std::vector<Axis> axes_;
  const CmaEncoding encoding_;
  Visited visited_;
  const std::uint64_t seed_;
  CmaRun run_;
  std::unordered_map<Key, CmaScore> known_;
  CmaScore best_;
};

}  // namespace

std::unique_ptr<Optimizer> cma_optimizer(Domain domain, const CmaOptions& options) {
  check(domain);
  return std::make_unique<CmaOptimizer>(std::move(domain), options);
}

}  // namespace quantsearch
