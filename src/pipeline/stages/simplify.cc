#include <fmt/core.h>

#include "pipeline/artefact_bytes.h"
#include "pipeline/stage_runner.h"
#include "pipeline/user_names.h"
#include "quantsearch/quantize/quantized_already.h"

namespace quantsearch {

namespace {

Simplified simplify_with_notes(const Model& model, const SimplifyOptions& options,
                               const LogSink& log) {
  Simplified result = simplify(model, options);
  for (const PassRecord& pass : result.passes) {
    // Passes that change the function are logged at a visible level.
    const LogLevel level = pass.changes_function ? LogLevel::info : LogLevel::detail;
    for (const std::string& note : pass.notes)
      say(log, level, fmt::format("simplify: {}: {}", pass.name, note));
  }
  for (const std::string& warning : result.warnings)
    say(log, LogLevel::warning, "simplify: " + warning);
  for (const std::string& note : result.notes) say(log, LogLevel::info, "simplify: " + note);
  say(log, LogLevel::info,
      fmt::format("simplify: {} nodes became {}", model.graph.nodes.size(),
                  result.model.graph.nodes.size()));
  return result;
}

}  // namespace

std::shared_ptr<const Simplified> StageRunner::simplified(const SimplifyOptions& options,
                                                          const Key& key) {
  return state_.cache.get<Simplified>(
      "simplify", key, [&] { return simplify_with_notes(state_.model, options, state_.log); },
      [](const Simplified& made) { return bytes_of(made.model); }, records_, token_);
}

QuantizationConfig StageRunner::accepted(const QuantizationConfig& config,
                                         const Simplified& simplified) {
  if (!config.requantize) require_float_activations(state_.model);
  NamedConfig named = with_simplified_names(config, simplified);
  const std::scoped_lock lock(state_.said_mutex);
  for (const std::string& note : named.notes) {
    if (state_.said.insert(note).second) say(state_.log, LogLevel::info, note);
  }
  return std::move(named.config);
}

void StageRunner::simplify(Progress& progress, const Key& key) {
  progress.simplified = simplified(progress.config.simplify, key);
  progress.config = accepted(progress.config, *progress.simplified);
  progress.float_model = {progress.simplified, &progress.simplified->model};
  progress.model = key;
}

}  // namespace quantsearch
