#pragma once

// What a search says about its inputs and its surroundings, in results.json, best_config.yaml and
// the study.

#include "autosearch/setup.h"
#include "quantsearch/autosearch/provenance.h"

namespace quantsearch {

/// {quantsearch, runtime, processor, command_line, model, calibration, evaluation, labels, seed};
/// each input with its file, fingerprint and number of samples.
[[nodiscard]] Value provenance_of(const Setup& setup);
/// The same for one model, whose configuration may use fewer calibration samples.
[[nodiscard]] Value provenance_of(const Setup& setup, const Settings& settings);

/// The inputs of a search in words, by the names of the fingerprint. They are stored with the study
/// and shown when another input does not match.
[[nodiscard]] Value inputs_in_words(const Setup& setup);

}  // namespace quantsearch
