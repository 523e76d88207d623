// Minimises a function of a real number, an integer and a category with TPE. The program links
// quantsearch::search, which contains nothing that reads or runs models.

#include <quantsearch/optimizers.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>

namespace {

constexpr std::array kActivations{"relu", "tanh", "gelu"};

// Stands for an expensive measurement, for example the validation loss of a training run. It is
// smallest, 0, at rate 0.01 with 3 layers and gelu.
double loss(double rate, double layers, std::size_t activation) {
  constexpr std::array kPenalty{0.2, 0.5, 0.0};
  return std::pow(std::log10(rate) + 2, 2) + 0.1 * std::pow(layers - 3, 2) + kPenalty[activation];
}

}  // namespace

int main() {
  quantsearch::Domain domain;
  domain.dimensions = {quantsearch::FloatRange{.low = 1e-5, .high = 1, .log = true},
                       quantsearch::IntRange{.low = 1, .high = 8},
                       quantsearch::Categories{.count = kActivations.size()}};
  const std::unique_ptr<quantsearch::Optimizer> optimizer =
      quantsearch::tpe_optimizer(domain, {.seed = 1});

  std::optional<quantsearch::Observation> best;
  for (std::int64_t trial = 0; trial < 100; ++trial) {
    const std::optional<quantsearch::Coordinates> point = optimizer->ask(trial, {});
    if (!point) break;  // every point of a small domain was tried
    quantsearch::Observation observation;
    observation.number = trial;
    observation.at = *point;
    const auto activation = static_cast<std::size_t>((*point)[2]);
    observation.objectives = {loss((*point)[0], (*point)[1], activation)};
    optimizer->tell(observation);
    if (!best || observation.objectives[0] < best->objectives[0]) best = observation;
  }

  const quantsearch::Coordinates& at = best->at;
  std::cout << "best of 100 is trial " << best->number << ": loss " << best->objectives[0]
            << ", rate " << at[0] << ", " << at[1] << " layers, "
            << kActivations[static_cast<std::size_t>(at[2])] << '\n';
  return 0;
}
