// The inputs of a Concat take the output's parameters, because the output's range contains theirs.
// The output of a pool takes the input's parameters, because an average lies between the values
// that it averages. The input of a Pad that adds values of its own takes the output's parameters.
// Rounds are repeated because one operator's output is another's input.

#include "quantize/numbers/alignment.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantize/numbers/shared_params.h"
#include "quantize/numbers/unlike_parts.h"
#include "quantize/placement/range_rules.h"

namespace quantsearch {

namespace {

bool is_average(const Node& node) { return node.is("AveragePool") || node.is("GlobalAveragePool"); }

class Aligner {
 public:
  Aligner(const PlanView& view, Activations& activations)
      : view_(view),
        activations_(activations),
        parts_(view, activations.spans),
        shared_(view, activations) {}

  /// Applies all rules once; false when nothing changed. Concats are visited last to first and
  /// pools first to last, so that a chain is aligned in one round.
  [[nodiscard]] bool round() {
    bool changed = false;
    for (int node = view_.node_count(); node-- > 0;) {
      if (aligns_backwards(node)) changed |= give_inputs_the_outputs(node);
    }
    for (int node = 0; node < view_.node_count(); ++node) {
      if (is_quantized(node) && view_.options.align.pool && is_average(at(node)))
        changed |= give_output_the_inputs(node);
    }
    return changed;
  }

 private:
  [[nodiscard]] const Node& at(int node) const { return view_.node(node); }
  [[nodiscard]] bool is_quantized(int node) const { return view_.planned(node).quantized; }
  [[nodiscard]] bool aligns_backwards(int node) const {
    return is_quantized(node) && ((view_.options.align.concat && at(node).is("Concat")) ||
                                  (view_.options.align.pad && at(node).is("Pad")));
  }

  [[nodiscard]] std::string rule_of(int node) const {
    return at(node).is("Concat") ? "AlignConcat" : at(node).is("Pad") ? "AlignPad" : "AlignPool";
  }
  [[nodiscard]] std::string name_of(int node) const {
    return rule_of(node) + " of " + describe_node(view_.graph, node);
  }

  bool copy(const std::string& from, const std::string& to, int node) {
    const TensorParams source = *shared_.find(from);
    const TensorParams* target = shared_.find(to);
    if (target == nullptr || target->type != source.type || loses_part(from, to, node))
      return false;
    return shared_.set(to, source, name_of(node));
  }

  /// True when `to` would lose a part with the parameters of `from`; adds the note for `node`.
  bool loses_part(const std::string& from, const std::string& to, int node) {
    for (const std::string& member : shared_.sharing(to)) {
      const auto lost = parts_.lost_in(member, shared_.find(from)->scales[0]);
      if (!lost) continue;
      activations_.notes.emplace(
          node, fmt::format("'{}' keeps its own parameters, because those of '{}' ({}) would leave "
                            "'{}' {}",
                            to, from, rule_of(node), lost->tensor, steps_text(*lost)));
      return true;
    }
    return false;
  }

  bool give_inputs_the_outputs(int node) {
    const auto output = shared_.output_of(node);
    if (!output || shared_.find(*output) == nullptr) return false;
    bool changed = end_at_bounds(*output, shared_.inputs_of(node), node);
    for (const std::string& input : shared_.inputs_of(node)) changed |= copy(*output, input, node);
    return changed;
  }

  bool give_output_the_inputs(int node) {
    const auto output = shared_.output_of(node);
    const std::vector<std::string> inputs = shared_.inputs_of(node);
    if (!output || inputs.empty()) return false;
    return copy(inputs[0], *output, node);
  }

  /// The range of a Relu or Clip among the inputs must not end slightly above its bound with the
  /// new scale. If one does, all tensors take a lower scale.
  bool end_at_bounds(const std::string& output, const std::vector<std::string>& inputs, int node) {
    if (view_.options.activation_symmetric) return false;
    TensorParams params = *shared_.find(output);
    for (const std::string& input : inputs) {
      for (const std::string& member : shared_.sharing(input)) {
        if (const auto bounds = bounds_of(view_, member))
          end_at_bound(params, *bounds, scale_rounding(view_.options));
      }
    }
    return shared_.set(output, params, name_of(node));
  }

  const PlanView& view_;
  Activations& activations_;
  Parts parts_;
  SharedParams shared_;
};

}  // namespace

void align_parameters(const PlanView& view, Activations& activations) {
  const AlignOptions& align = view.options.align;
  if (!align.concat && !align.pool && !align.pad) return;
  Aligner aligner(view, activations);
  for (int round = 0; round < align.max_loops && aligner.round(); ++round) {
  }
}

}  // namespace quantsearch
