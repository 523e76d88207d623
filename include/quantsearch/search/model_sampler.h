#pragma once

// Samplers over a Space that learn: any optimizer of optimizer.h behind the Sampler interface, and
// samplers made of others.

#include <functional>
#include <memory>
#include <vector>

#include "quantsearch/optimizers.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(Domain domain)>;

struct ModelSamplerOptions {
  std::vector<Goal> goals = {Goal::minimize};  // of the trial's value, or of each of its objectives
  // False for optimizers that ignore what they are told.
  bool learns = true;
  // Spaces up to this many raw points are walked at the start, so that the optimizer can look at
  // every point.
  std::int64_t enumeration_limit = 50'000;
};

/// Proposes what `make`'s optimizer proposes. Lists of three or more numbers are dimensions with an
/// order, other lists categories; settings without effect are inactive in the coordinates. Of
/// several search spaces the first dimension says which. Throws InvalidInput when a name has a real
/// range in one space and something else in another.
[[nodiscard]] std::unique_ptr<Sampler> model_sampler(const Space& space, Normalize normalize,
                                                     const MakeOptimizer& make,
                                                     const ModelSamplerOptions& options = {});

/// First every point of one sampler; when all of its trials are told, those of the sampler that
/// `second` makes from the finished trials of the first (none when it returns null).
[[nodiscard]] std::unique_ptr<Sampler> staged_sampler(
    std::unique_ptr<Sampler> first,
    std::function<std::unique_ptr<Sampler>(const std::vector<Trial>& finished)> second);

}  // namespace quantsearch
