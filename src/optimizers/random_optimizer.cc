#include "optimizers/visited.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

namespace {

class RandomOptimizer final : public Optimizer {
 public:
  RandomOptimizer(Domain domain, const RandomOptions& options)
      : domain_(std::move(domain)),
        axes_(axes_of(domain_)),
        visited_(domain_),
        seed_(options.seed) {}
  RandomOptimizer(const RandomOptimizer&) = delete;
  RandomOptimizer& operator=(const RandomOptimizer&) = delete;

  std::optional<Coordinates> ask(std::int64_t number, std::span<const Pending> pending) override {
    RandomStream random(seed_, number, "random");
    return visited_.random_fresh(axes_, random, pending);
  }
  void tell(const Observation& observation) override { visited_.add(observation.at); }

 private:
  const Domain domain_;
  const std::vector<Axis> axes_;
  Visited visited_;
  const std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Optimizer> random_optimizer(Domain domain, const RandomOptions& options) {
  check(domain);
  return std::make_unique<RandomOptimizer>(std::move(domain), options);
}

}  // namespace quantsearch
