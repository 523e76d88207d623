// The stages that change the float model before it is observed: equalization, bias absorption and
// smoothing.

#include "quantsearch/equalize.h"

#include <fmt/core.h>

#include "pipeline/artefact_bytes.h"
#include "pipeline/stage_runner.h"

namespace quantsearch {

namespace {

/// Returns the bytes of a model; an unchanged one shares the memory of the model it was made from.
template <typename Made>
std::int64_t bytes_if_changed(const Made& made) {
  return made.changed ? bytes_of(made.model) : std::int64_t{1000};
}

void say_notes(const LogSink& log, const std::string& stage,
               const std::vector<std::string>& notes) {
  for (const std::string& note : notes)
    say(log, LogLevel::detail, fmt::format("{}: {}", stage, note));
}

}  // namespace

void StageRunner::equalize(Progress& progress, const Key& key) {
  const auto compute = [&] {
    Equalized made = quantsearch::equalize(*progress.float_model, *progress.config.equalize);
    say_notes(state_.log, "equalize", made.notes);
    say(state_.log, LogLevel::info,
        made.changed ? "equalize: done" : "equalize: the model has nothing to equalize");
    return made;
  };
  take_over(progress,
            state_.cache.get<Equalized>("equalize", key, compute, bytes_if_changed<Equalized>,
                                        records_, token_),
            key);
}

void StageRunner::absorb(Progress& progress, const Key& key) {
  const Model& model = *progress.float_model;
  const auto compute = [&] {
    const auto statistics = observed("observe_biases", progress, tensors_to_absorb(model));
    token_.throw_if_cancelled();
    Equalized made = absorb_biases(model, *statistics, progress.config.equalize->bias_absorption);
    say_notes(state_.log, "absorb", made.notes);
    if (!made.changed)
      say(state_.log, LogLevel::info, "absorb: no channel stays above zero before its Relu");
    return made;
  };
  take_over(progress,
            state_.cache.get<Equalized>("absorb", key, compute, bytes_if_changed<Equalized>,
                                        records_, token_),
            key);
}

/// Smoothing observes the model before smoothing, which is the same stage as in a trial without
/// smoothing.
void StageRunner::smooth(Progress& progress, const Key& key) {
  const Model& model = *progress.float_model;
  const auto compute = [&] {
    const auto statistics = observed("observe_float", progress, tensors_to_observe(model));
    token_.throw_if_cancelled();
    Smoothed made = quantsearch::smooth(model, *statistics, *progress.config.smooth);
    say_notes(state_.log, "smooth", made.notes);
    if (!made.changed) say(state_.log, LogLevel::info, "smooth: no tensor gains from smoothing");
    return made;
  };
  take_over(progress,
            state_.cache.get<Smoothed>("smooth", key, compute, bytes_if_changed<Smoothed>, records_,
                                       token_),
            key);
}

}  // namespace quantsearch
