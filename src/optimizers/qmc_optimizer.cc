#include <variant>

#include "optimizers/qmc/halton.h"
#include "optimizers/qmc/sobol.h"
#include "optimizers/visited.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

namespace {

/// Distance from the index of a trial to the next index that is tried when its point is taken. It
/// is 2^32 divided by the golden ratio, which is odd, so that every index is reached, and far from
/// the indices of the next trials.
constexpr std::uint32_t kStride = 2654435769U;
constexpr int kSteps = 1000;

class QmcOptimizer final : public Optimizer {
 public:
  QmcOptimizer(Domain domain, const QmcOptions& options)
      : domain_(std::move(domain)),
        axes_(axes_of(domain_)),
        visited_(domain_),
        options_(options),
        sobol_(options.kind == QmcKind::sobol ? axes_.size() : 0),
        halton_(make_halton(options, axes_.size())) {
    RandomStream random(options.seed, 0, "sobol scrambling");
    for (std::size_t i = 0; i < axes_.size(); ++i)
      scramble_seeds_.push_back(static_cast<std::uint32_t>(random.next() >> 32));
  }
  QmcOptimizer(const QmcOptimizer&) = delete;
  QmcOptimizer& operator=(const QmcOptimizer&) = delete;

  std::optional<Coordinates> ask(std::int64_t number, std::span<const Pending> pending) override {
    auto index = static_cast<std::uint32_t>(number);
    for (int step = 0; step < kSteps; ++step, index += kStride) {
      if (auto point = visited_.fresh(point_at(index), pending)) return point;
    }
    RandomStream random(options_.seed, number, "qmc");
    return visited_.random_fresh(axes_, random, pending);
  }

  void tell(const Observation& observation) override { visited_.add(observation.at); }

 private:
  static Halton make_halton(const QmcOptions& options, std::size_t dimensions) {
    if (options.kind != QmcKind::halton) return Halton(0);
    return options.scramble ? Halton(dimensions, options.seed) : Halton(dimensions);
  }

  Coordinates point_at(std::uint32_t index) const {
    Coordinates point;
    point.reserve(axes_.size());
    for (std::size_t i = 0; i < axes_.size(); ++i)
      point.push_back(axes_[i].from_unit(unit(index, i)));
    return point;
  }

  double unit(std::uint32_t index, std::size_t dimension) const {
    switch (options_.kind) {
      case QmcKind::sobol: {
        const std::uint32_t fraction = sobol_.at(index, dimension);
        return 0x1p-32 * (options_.scramble ? owen_scrambled(fraction, scramble_seeds_[dimension])
                                            : fraction);
      }
      case QmcKind::halton:
        return halton_.at(index, dimension);
    }
    return 0;
  }

  const Domain domain_;
  const std::vector<Axis> axes_;
  Visited visited_;
  const QmcOptions options_;
  const Sobol sobol_;
  const Halton halton_;
  std::vector<std::uint32_t> scramble_seeds_;
};

}  // namespace

std::unique_ptr<Optimizer> qmc_optimizer(Domain domain, const QmcOptions& options) {
  check(domain);
  return std::make_unique<QmcOptimizer>(std::move(domain), options);
}

}  // namespace quantsearch
