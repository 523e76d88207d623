// Sum adds its inputs from the left, as a chain of Adds does, so the values stay the same bit by
// bit, and the rules for Add apply.

#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

PassResult sum_to_add(Model model) {
  std::vector<std::string> notes;
  GraphEditor editor(model.graph);
  for (int index = 0; index < editor.node_count(); ++index) {
    const Node sum = editor.node(index);
    if (!sum.is("Sum")) continue;
    if (sum.inputs.size() < 2) {
      editor.node(index).op_type = "Identity";
      notes.push_back(fmt::format("{} became Identity", editor.describe(index)));
      continue;
    }
    notes.push_back(fmt::format("{} became {} Add", editor.describe(index), sum.inputs.size() - 1));
    std::vector<Node> adds;
    std::string partial = sum.inputs[0];
    for (std::size_t input = 1; input < sum.inputs.size(); ++input) {
      const bool is_last = input + 1 == sum.inputs.size();
      std::string output = is_last ? sum.outputs[0] : editor.unique_name(sum.outputs[0] + "_part");
      std::string name = adds.empty() ? sum.name : editor.unique_name(sum.outputs[0] + "_Add");
      adds.push_back(plain_node("Add", std::move(name), {partial, sum.inputs[input]}, output));
      partial = std::move(output);
    }
    editor.replace(index, std::move(adds));
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
