#pragma once

// Chooses the kind of staged search for a configuration, and finds parts of the configuration that
// have no effect.

#include <string>
#include <vector>

#include "quantsearch/autosearch.h"

namespace quantsearch {

enum class Staging { none, two_stages, advanced, automatic };

struct StagingChoice {
  Staging staging = Staging::none;
  Space space;  // with the switch of fine-tuning if the base has it on
  // Parts of the configuration that have no effect, with reasons.
  std::vector<std::string> warnings = {};
};

[[nodiscard]] StagingChoice choose_staging(const AutoSearchConfig& config, const Space& space,
                                           const Normalize& normalize);

/// Checks the space for the configured kind of search before anything has run; throws InvalidInput.
void check_stages(const AutoSearchConfig& config, const Space& space);

}  // namespace quantsearch
