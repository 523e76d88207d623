#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/internal/base/names.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/internal/model/bodies.h"
#include "quantsearch/internal/model/checks.h"
#include "quantsearch/runtime.h"
#include "quantsearch/transform.h"
#include "transform/known_types.h"
#include "transform/names_as_read.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

struct Pass {
  std::string name;
  bool is_wanted = true;
  std::function<PassResult(Model)> run;
  bool changes_shapes = false;  // more shapes become known, so they are inferred again afterwards
  bool changes_function = false;
};

PassResult simplify_bodies(Model model, const SimplifyOptions& options);

std::int64_t wanted_opset(const SimplifyOptions& options) {
  if (options.opset && *options.opset < options.minimum_opset) {
    throw InvalidInput(
        fmt::format("simplify: opset {} was asked for, but the types of this configuration need at "
                    "least {}; ask for that or leave it out",
                    *options.opset, options.minimum_opset));
  }
  return options.opset.value_or(options.minimum_opset);
}

// The order matters: a pass may rely on what those before it have done. Constants after a layer are
// folded twice, so that both Conv -> Add -> BatchNormalization and Conv -> BatchNormalization ->
// Mul end as one Conv.
std::vector<Pass> passes(const SimplifyOptions& options) {
  const std::int64_t opset = wanted_opset(options);
  return {
      {"expand_functions", true, expand_functions},
      {"raise_opset", true, [opset](Model model) { return raise_opset(std::move(model), opset); }},
      {"plain_initializers", true, plain_initializers},
      {"constants_to_initializers", true, constants_to_initializers, true},
      {"fp16_to_fp32", options.fp16_to_fp32, fp16_to_fp32},
      {"remove_identities", true, remove_identities},
      {"split_fused_layers", true, split_fused_layers},
      {"split_attention", true, split_attention},
      {"einsum_to_matmul", true, einsum_to_matmul},
      {"sum_to_add", true, sum_to_add},
      {"dequantize_last", true, dequantize_last},
      {"fold_constants", options.fold_constants, fold_constants, true},
      {"inline_constant_ifs", true,
       [folds = options.fold_constants](Model model) {
         return inline_constant_ifs(std::move(model), folds);
       },
       true},
      {"split_addends", true, split_addends},
      {"div_to_mul", options.div_to_mul, div_to_mul},
      {"gather_hard_swish", options.gather_hard_swish, gather_hard_swish},
      {"fold_channel_constants", true, fold_channel_constants},
      {"fold_batch_norm", options.fold_batch_norm, fold_batch_norm},
      {"fold_channel_constants", true, fold_channel_constants},
      {"reduce_mean_to_global_pool", options.reduce_mean_to_global_pool,
       reduce_mean_to_global_pool},
      {"flatten_to_reshape", true, flatten_to_reshape},
      {"spread_pad_axes", true, spread_pad_axes},
      {"dpu_conversions", !(options.dpu == DpuOptions{}),
       [dpu = options.dpu](Model model) { return dpu_conversions(std::move(model), dpu); }, false,
       true},
      {"simplify_bodies", true,
       [options](Model model) { return simplify_bodies(std::move(model), options); }},
      {"remove_dead_nodes", true, remove_dead_nodes},
      {"split_shared_biases", true, split_biases},
  };
}

void require_known(const std::set<std::string>& disabled) {
  const std::vector<std::string> known = pass_names();
  for (const std::string& name : disabled) {
    if (std::ranges::find(known, name) == known.end()) {
      throw InvalidInput("simplify: " + unknown_name_message("pass", name, known));
    }
  }
}

void require_reachable_opset(const Model& model, const SimplifyOptions& options) {
  if (!options.opset || model.opset() <= *options.opset) return;
  throw Unsupported(
      fmt::format("simplify: the model has opset {}, which cannot be lowered to the {} asked for; "
                  "ask for {} or leave it out",
                  model.opset(), *options.opset, model.opset()));
}

/// libonnx is stricter than the runtime in places, so a model that the runtime loads is accepted
/// with a note. Throws InvalidInput for other models that libonnx refuses.
std::vector<std::string> objection_notes(const Model& model) {
  const std::string objection = objection_to(model);
  if (objection.empty()) return {};
  try {
    (void)open_session(model, {.threads = 1, .optimize = false, .taps = {}});
  } catch (const Error&) {
    throw InvalidInput("check: the model is not valid ONNX: " + objection);
  }
  return {fmt::format("{} loads the model, but ONNX's checker objects: {}", runtime_version(),
                      objection)};
}

/// Warns of normalization by the statistics of each batch: such a model is in training mode and not
/// meant to be deployed.
std::vector<std::string> training_warnings(const Graph& graph) {
  std::vector<std::string> warnings;
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    const Node& at = graph.nodes[static_cast<std::size_t>(node)];
    if (!at.is("BatchNormalization") || at.int_attribute("training_mode", 0) == 0) continue;
    warnings.push_back(fmt::format(
        "{} is in training mode: it normalizes by the statistics of each batch, so that a sample's "
        "result depends on the others; export the model in evaluation mode",
        describe_node(graph, node)));
  }
  return warnings;
}

/// Runs the passes that are wanted and not disabled.
Simplified run_passes(Model model, const SimplifyOptions& options, NameTracker& names) {
  Simplified result;
  for (const Pass& pass : passes(options)) {
    if (!pass.is_wanted || options.disabled.contains(pass.name)) continue;
    PassRecord record{.name = pass.name};
    record.changes_function = pass.changes_function;
    record.nodes_before = std::ssize(model.graph.nodes);
    const Stopwatch watch;
    PassResult passed = pass.run(std::move(model));
    model = std::move(passed.model);
    if (pass.changes_shapes) model = with_known_types(std::move(model));
    names.follow(model.graph);
    record.seconds = watch.seconds();
    record.nodes_after = std::ssize(model.graph.nodes);
    record.notes = std::move(passed.notes);
    std::ranges::move(passed.recipes, std::back_inserter(result.recipes));
    result.passes.push_back(std::move(record));
  }
  result.model = std::move(model);
  return result;
}

/// Runs the passes over each body, opened as a model of its own.
PassResult simplify_bodies(Model model, const SimplifyOptions& options) {
  SimplifyOptions inside = options;
  // These passes treat bodies together with the outer graph.
  inside.disabled.insert({"expand_functions", "raise_opset", "plain_initializers", "fp16_to_fp32"});
  std::vector<std::string> notes;
  for (const BodyPlace& place : bodies_of(model.graph)) {
    const std::string label = body_label(model.graph, place);
    OpenBody body = open_body(model, place);
    try {
      NameTracker names(body.model.graph);
      Simplified simplified = run_passes(infer_shapes(body.model), inside, names);
      for (const PassRecord& pass : simplified.passes) {
        for (const std::string& note : pass.notes)
          notes.push_back(fmt::format("{}: {}: {}", label, pass.name, note));
      }
      body.model = std::move(simplified.model);
    } catch (const InvalidInput& failure) {  // the body reads a tensor of unknown type
      notes.push_back(fmt::format("{} stays: {}", label, failure.what()));
      continue;
    }
    sort_topologically(body.model.graph);
    set_body(model.graph, place, close_body(std::move(body)));
  }
  return {std::move(model), std::move(notes)};
}

}  // namespace

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const Pass& pass : passes({})) names.push_back(pass.name);
  return names;
}

Simplified simplify(Model model, const SimplifyOptions& options) {
  require_known(options.disabled);
  require_reachable_opset(model, options);
  sort_topologically(model.graph);
  NameTracker names(model.graph);
  std::vector<std::string> warnings = training_warnings(model.graph);
  Simplified result = run_passes(std::move(model), options, names);
  result.warnings = std::move(warnings);
  model = std::move(result.model);
  make_body_names_unique(model.graph);
  model = with_known_types(std::move(model));
  sort_topologically(model.graph);
  result.notes = objection_notes(model);
  result.names = names.finish(model.graph);
  result.model = std::move(model);
  return result;
}

}  // namespace quantsearch
