#pragma once

// A space in two stages: what calibrates, and what fine-tunes the best of it.

#include <optional>
#include <string>
#include <vector>

#include "quantsearch/pipeline/settings.h"
#include "quantsearch/search/space.h"

namespace quantsearch {

/// Settings of fine-tuning, its switch among them.
[[nodiscard]] bool is_finetune_setting(const std::string& name);

/// What a first stage leaves to the second one.
enum class Deferred {
  finetuning,
  finetuning_and_formats,  // mixed precision too, which runs its model many times to choose them
};

/// The same space; where `base` switches fine-tuning on, products with settings of fine-tuning and
/// without its switch get the switch, on.
[[nodiscard]] Space with_base_switch(const Space& space, const Settings& base);

/// True when a product of the space switches fine-tuning on and so has a second stage.
[[nodiscard]] bool has_finetuning(const Space& space);
/// The space without fine-tuning: its switch off, its settings gone. With `finetuning_and_formats`
/// mixed precision is off too, where the space has that.
[[nodiscard]] Space first_stage(const Space& space, Deferred deferred = Deferred::finetuning);
/// What was deferred, of the given points of first_stage(): their settings frozen, the switch of
/// fine-tuning on, the deferred settings as in the products that hold the point; with
/// `finetuning_and_formats` also mixed precision alone. Where the space calibrates in one product
/// and fine-tunes in another, the second takes the point as it is. nullopt when no product holds
/// one.
[[nodiscard]] std::optional<Space> second_stage(const Space& space,
                                                const std::vector<Point>& winners,
                                                Deferred deferred = Deferred::finetuning);

/// Names of fine-tuning settings with more than one value.
[[nodiscard]] std::vector<std::string> varied_finetune_settings(const Space& space);

}  // namespace quantsearch
