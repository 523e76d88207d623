#include "quantsearch/internal/runtime/failing_node.h"

#include <regex>
#include <vector>

namespace quantsearch {

namespace {

struct Form {
  std::regex expression;
  std::size_t name;     // group
  std::size_t op_type;  // group
};

// The wording of ONNX Runtime 1.29.
const std::vector<Form>& forms() {
  static const std::vector<Form> kForms = {
      // A kernel failed while it ran.
      {std::regex("while running (\\S+) node\\. Name:'([^']*)'"), 2, 1},
      // There is no kernel for these types.
      {std::regex(
           "Could not find an implementation for ([^( ]+)\\([0-9]+\\) node with name '([^']*)'"),
       2, 1},
      // Shape or type inference failed.
      {std::regex("Node \\(([^)]*)\\) Op \\(([^)]*)\\)"), 1, 2},
      {std::regex("Failed to find kernel for ([^( ]+)\\([0-9]+\\) \\(node:'([^']*)'"), 2, 1},
  };
  return kForms;
}

}  // namespace

std::optional<FailingNode> failing_node(const std::string& message) {
  for (const Form& form : forms()) {
    std::smatch match;
    if (!std::regex_search(message, match, form.expression)) continue;
    return FailingNode{.name = match[form.name].str(), .op_type = match[form.op_type].str()};
  }
  return std::nullopt;
}

}  // namespace quantsearch
