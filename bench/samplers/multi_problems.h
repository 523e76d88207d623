#pragma once

// Test functions with several objectives, all minimised.

#include <functional>
#include <string>
#include <vector>

#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

struct MultiValues {
  std::vector<double> objectives;
  std::vector<double> constraints = {};  // feasible when every one is <= 0
};

struct MultiProblem {
  std::string name;
  Domain domain;
  std::function<MultiValues(const Coordinates& point)> values;
  // The hypervolume is given as a share of the box between `ideal` and `reference`.
  std::vector<double> ideal;
  std::vector<double> reference;
};

/// zdt1, zdt2, zdt3 (10 real numbers), dtlz2 (three objectives, 7 real numbers), osy (constrained),
/// ints (10 integers between two targets), quant15 (loss and bits of a network).
[[nodiscard]] std::vector<MultiProblem> multi_problems();

}  // namespace quantsearch
