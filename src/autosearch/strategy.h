#pragma once

// How a search goes through its space: which sampler, in one stage or two.

#include <memory>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"

namespace quantsearch {

struct Strategy {
  std::unique_ptr<Sampler> sampler;
  std::vector<std::string> notices = {};  // what the user must know of it
  bool exhausts = false;                  // counts do not stop it
};

/// `goals`: one per objective. Throws InvalidInput for what the configuration asks and the space cannot give.
[[nodiscard]] Strategy strategy_of(const AutoSearchConfig& config, const Space& space, const Normalize& normalize,
                                   const CostModel& cost, const std::vector<Goal>& goals);

/// What is wrong with the two searches in stages, before anything has run; throws InvalidInput.
void check_stages(const AutoSearchConfig& config, const Space& space);

}  // namespace quantsearch
