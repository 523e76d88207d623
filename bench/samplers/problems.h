#pragma once

// Test functions for black-box optimizers, with the results of other optimizers on them.

#include <functional>
#include <string>
#include <vector>

#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

/// Median of the best value so far (the regret, where the optimum is known) after 50, 100 and 200
/// trials; NaN where it was not measured.
struct PeerFigures {
  std::string optimizer;  // name of the optimizer here that it is compared with
  std::string peer;
  double at_50 = 0;
  double at_100 = 0;
  double at_200 = 0;
};

struct Problem {
  std::string name;
  Domain domain;
  std::function<double(const Coordinates& point)> value;  // to minimise
  std::vector<PeerFigures> peers = {};
  double least = 0;  // the value of the optimum
};

/// Returns branin, hartmann6, sphere5, rosen5, ellips10, ackley10, rastr10, quant15, int10 and
/// quant15o, which is quant15 with its formats as ordered categories.
[[nodiscard]] std::vector<Problem> sampler_problems();

/// The result of quant15 for the bits of twelve layers, a group size and two factors.
struct QuantizedNetwork {
  double loss = 0;
  double bits = 0;  // bits per weight, including its share of a group's scale
};
[[nodiscard]] QuantizedNetwork quant15_network(const Coordinates& point);

/// Returns a domain of `dimensions` real numbers in [-5, 5].
[[nodiscard]] Domain sphere_domain(std::size_t dimensions);
/// Returns the squared distances to `objectives` centres in that domain.
[[nodiscard]] std::vector<double> sphere_values(const Coordinates& point, std::size_t objectives);

}  // namespace quantsearch
