#pragma once

// Lists of names are written by people who look at their own model; the stages work on the
// simplified one, in which nodes have been merged, bypassed and computed.

#include <string>
#include <vector>

#include "quantsearch/pipeline/settings.h"
#include "quantsearch/transform.h"

namespace quantsearch {

struct NamedConfig {
  QuantizationConfig config;
  std::vector<std::string> notes;  // what became of names that the simplified model does not have
};

/// The configuration in names of the simplified model. A name that neither model has stays: the
/// stage that looks it up knows what is near. Throws InvalidInput when nothing is left of a list
/// that says what to quantize, since an empty one means everything.
[[nodiscard]] NamedConfig with_simplified_names(QuantizationConfig config,
                                                const Simplified& simplified);

}  // namespace quantsearch
