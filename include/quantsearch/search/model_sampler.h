#pragma once

// Samplers over a Space that learn: an adapter that makes a Sampler of any optimizer of
// optimizers.h, and samplers composed of others.

#include <functional>
#include <memory>
#include <vector>

#include "quantsearch/optimizers.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(Domain domain)>;

struct ModelSamplerOptions {
  // For the trial's value, or one for each of its objectives.
  std::vector<Goal> goals = {Goal::minimize};
  // False for optimizers that ignore the results they are told.
  bool learns = true;
  // Spaces of at most this many raw points are enumerated at the start, so that the optimizer can
  // evaluate every point.
  std::int64_t enumeration_limit = 50'000;
};

/// Proposes what `make`'s optimizer proposes. Lists of three or more numbers are dimensions with an
/// order, other lists categories; settings without effect are inactive in the coordinates. When
/// there are several search spaces, the first dimension selects the space. Throws InvalidInput when
/// a name has a real range in one space and something else in another.
[[nodiscard]] std::unique_ptr<Sampler> model_sampler(const Space& space, Normalize normalize,
                                                     const MakeOptimizer& make,
                                                     const ModelSamplerOptions& options = {});

/// Proposes every point of `first`, and, after the results of all of its trials have been told, the
/// points of the sampler that `second` makes from these finished trials (none when it returns
/// null).
[[nodiscard]] std::unique_ptr<Sampler> staged_sampler(
    std::unique_ptr<Sampler> first,
    std::function<std::unique_ptr<Sampler>(const std::vector<Trial>& finished)> second);

}  // namespace quantsearch
