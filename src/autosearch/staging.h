#pragma once

// Which search in stages a configuration gets, and what in it has no effect.

#include <string>
#include <vector>

#include "quantsearch/autosearch.h"

namespace quantsearch {

enum class Staging { none, two_stages, advanced, automatic };

struct StagingChoice {
  Staging staging = Staging::none;
  Space space;                             // with the switch of fine-tuning, where the base has it
  std::vector<std::string> warnings = {};  // what the configuration asks for in vain, and why
};

[[nodiscard]] StagingChoice choose_staging(const AutoSearchConfig& config, const Space& space,
                                           const Normalize& normalize);

/// What is wrong with the two searches in stages, before anything has run; throws InvalidInput.
void check_stages(const AutoSearchConfig& config, const Space& space);

}  // namespace quantsearch
