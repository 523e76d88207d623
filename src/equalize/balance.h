#pragma once

// Computes the scales that give the channels of linked layers weights of equal size.

#include <vector>

#include "equalize/chains.h"
#include "quantsearch/equalize.h"

namespace quantsearch::equalizing {

struct Balance {
  /// [links][channels]: factors of the tensor between two layers
  std::vector<std::vector<double>> scales;
  int sweeps = 0;
};

/// Computes the scales of all links. `added` [links] holds the sum of the additions of each link,
/// [channels] or empty.
[[nodiscard]] Balance balance(const ChainMap& chains, const std::vector<std::vector<double>>& added,
                              const EqualizeOptions& options);

/// Divisor of biases that count as weights (docs/algorithms/cle.md), from 2 to 20. It grows with
/// the size of the biases compared to the weights. `ratios` are |bias| / |weight| for every weight.
[[nodiscard]] double bias_divisor(double largest_bias, double largest_weight,
                                  std::vector<double> ratios);

}  // namespace quantsearch::equalizing
