#pragma once

// Bodies: the graphs inside If, Loop and Scan. A body reads tensors of the graphs around it by
// name; here it is opened as a model of its own, edited and put back, or takes the place of its
// node.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// Where a body is in its graph.
struct BodyPlace {
  int node = 0;           // index of the node that owns it
  std::string attribute;  // "then_branch", "else_branch", "body"
  bool operator==(const BodyPlace&) const = default;
};

/// In the order of nodes and attributes; bodies inside bodies are not listed.
[[nodiscard]] std::vector<BodyPlace> bodies_of(const Graph& graph);
[[nodiscard]] const Graph& body_at(const Graph& graph, const BodyPlace& place);
void set_body(Graph& graph, const BodyPlace& place, Graph body);
/// "If_12/then_branch": the label of the node, then the attribute.
[[nodiscard]] std::string body_label(const Graph& graph, const BodyPlace& place);

/// A body as a model. What it reads from outside follows its own inputs and initializers: constants
/// as initializers that share their values, everything else as inputs of the type known outside.
struct OpenBody {
  Model model;
  std::vector<std::string> captured;          // inputs that are tensors of the graph around
  std::vector<Initializer> shared_constants;  // initializers of the graph around
};
/// `owner` may be an opened body itself.
[[nodiscard]] OpenBody open_body(const Model& owner, const BodyPlace& place);
/// The body again: without what came from outside, but for constants whose values have changed.
[[nodiscard]] Graph close_body(OpenBody body);

/// Puts the nodes of the body in the place of its node: what the condition of an If chooses. The
/// body's outputs take the names of the node's; its other names stay where they are free in
/// `graph`. The body has no inputs of its own.
void inline_body(Graph& graph, const BodyPlace& place);

/// Renames what several graphs of the model call alike, so that a name means one tensor, or one
/// node, in the whole model. Names of the main graph stay; nodes of bodies without a name get one.
/// Returns how many names changed.
int make_body_names_unique(Graph& graph);

/// Renames tensors wherever the graph makes, reads or describes them, and in the bodies of its
/// nodes unless a body makes a tensor of that name itself.
void rename_tensors(Graph& graph, const std::map<std::string, std::string, std::less<>>& names);

}  // namespace quantsearch
