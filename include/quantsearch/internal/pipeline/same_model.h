#pragma once

#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

/// True when both make the same model of any float model and data: an option that says what happens
/// without it makes no difference. False when one of them makes none.
[[nodiscard]] bool make_same_model(const Settings& one, const Settings& other);

}  // namespace quantsearch
