#pragma once

// Users write names of their original model. The stages work on the simplified model, in which
// nodes have been merged, bypassed or computed.

#include <string>
#include <vector>

#include "quantsearch/pipeline/settings.h"
#include "quantsearch/transform.h"

namespace quantsearch {

struct NamedConfig {
  QuantizationConfig config;
  std::vector<std::string> notes;  // notes about names that the simplified model does not have
};

/// Returns the configuration with the names of the simplified model. A name that neither model has
/// is kept, and the stage that looks it up reports it with the nearest name. Throws InvalidInput
/// when nothing is left of a list that selects what to quantize, because an empty list means
/// everything.
[[nodiscard]] NamedConfig with_simplified_names(QuantizationConfig config,
                                                const Simplified& simplified);

}  // namespace quantsearch
