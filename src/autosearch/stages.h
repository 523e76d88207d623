#pragma once

// A space in two stages: what calibrates, and what fine-tunes the best of it.

#include <optional>
#include <string>
#include <vector>

#include "quantsearch/search/space.h"

namespace quantsearch {

/// Settings of fine-tuning, its switch among them.
[[nodiscard]] bool is_finetune_setting(const std::string& name);

/// True when a product of the space switches fine-tuning on and so has a second stage.
[[nodiscard]] bool has_finetuning(const Space& space);
/// The space without fine-tuning: its switch off, its settings gone.
[[nodiscard]] Space without_finetuning(const Space& space);
/// Fine-tuning of the given points of without_finetuning(): their settings frozen, the switch on, the settings of
/// fine-tuning as in the products that hold the point. nullopt when no product does.
[[nodiscard]] std::optional<Space> finetuning_of(const Space& space, const std::vector<Point>& winners);

/// Names of fine-tuning settings with more than one value.
[[nodiscard]] std::vector<std::string> varied_finetune_settings(const Space& space);

}  // namespace quantsearch
