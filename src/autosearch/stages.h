#pragma once

// Divides a space into two stages: calibration, and fine-tuning of the best calibrations.

#include <optional>
#include <string>
#include <vector>

#include "quantsearch/pipeline/settings.h"
#include "quantsearch/search/space.h"

namespace quantsearch {

/// True for the settings of fine-tuning, including its switch.
[[nodiscard]] bool is_finetune_setting(const std::string& name);

/// The settings that the first stage leaves to the second one.
enum class Deferred {
  finetuning,
  // Also mixed precision, which runs its model many times to choose formats.
  finetuning_and_formats,
};

/// Returns the same space, but when `base` switches fine-tuning on, products that have settings of
/// fine-tuning and not its switch get the switch with the value true.
[[nodiscard]] Space with_base_switch(const Space& space, const Settings& base);

/// True when a product of the space switches fine-tuning on and therefore has a second stage.
[[nodiscard]] bool has_finetuning(const Space& space);
/// Returns the space without fine-tuning: its switch is off and its settings are removed. With
/// `finetuning_and_formats` mixed precision is off too, if the space contains that choice.
[[nodiscard]] Space first_stage(const Space& space, Deferred deferred = Deferred::finetuning);
/// Returns the space of the deferred settings for the given points of first_stage(): the settings
/// of a point are fixed, the switch of fine-tuning is on, and the deferred settings are those of
/// the products that contain the point; with `finetuning_and_formats` there is also mixed precision
/// without fine-tuning. When the space calibrates in one product and fine-tunes in another, the
/// second product takes the point unchanged. nullopt when no product contains a point.
[[nodiscard]] std::optional<Space> second_stage(const Space& space,
                                                const std::vector<Point>& winners,
                                                Deferred deferred = Deferred::finetuning);

/// Returns the names of the fine-tuning settings with more than one value.
[[nodiscard]] std::vector<std::string> varied_finetune_settings(const Space& space);

}  // namespace quantsearch
