#pragma once

// The scales that make the channels of linked layers alike.

#include <vector>

#include "equalize/chains.h"
#include "quantsearch/equalize.h"

namespace quantsearch::equalizing {

struct Balance {
  /// [links][channels]: the tensor between two layers is multiplied by it.
  std::vector<std::vector<double>> scales;
  int sweeps = 0;
};

/// `added` [links]: what the additions of each link add to its channels, [channels] or empty.
[[nodiscard]] Balance balance(const ChainMap& chains, const std::vector<std::vector<double>>& added,
                              const EqualizeOptions& options);

/// Divisor of biases that count as weights (docs/algorithms/cle.md): 2 to 20, the larger the more
/// the biases stand out from the weights. `ratios` are |bias| / |weight| of every weight.
[[nodiscard]] double bias_divisor(double largest_bias, double largest_weight,
                                  std::vector<double> ratios);

}  // namespace quantsearch::equalizing
