#pragma once

// Bodies are the graphs inside If, Loop and Scan. A body reads tensors of the outer graphs by name.
// These functions open a body as a model of its own and put it back after an edit, or replace its
// node by its content.

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

/// The bodies of a graph in the order of nodes and attributes, without bodies inside bodies.
[[nodiscard]] std::vector<BodyPlace> bodies_of(const Graph& graph);
[[nodiscard]] const Graph& body_at(const Graph& graph, const BodyPlace& place);
void set_body(Graph& graph, const BodyPlace& place, Graph body);
/// "If_12/then_branch": the label of the node, then the attribute.
[[nodiscard]] std::string body_label(const Graph& graph, const BodyPlace& place);

/// The inputs of a node, then what its bodies read from the graphs around them. A name may come
/// several times; omitted inputs are left out.
[[nodiscard]] std::vector<std::string> names_read(const Node& node);

/// A body as a model of its own. What it reads from the outer graph is appended: constants to its
/// initializers, which share their values, and everything else to its inputs, with the type known
/// in the outer graph.
struct OpenBody {
  Model model;
  std::vector<std::string> captured;          // inputs that are tensors of the outer graph
  std::vector<Initializer> shared_constants;  // initializers of the outer graph
};
/// `owner` may be an opened body itself.
[[nodiscard]] OpenBody open_body(const Model& owner, const BodyPlace& place);
/// The inverse of open_body(): removes what was appended, except constants whose values have
/// changed.
[[nodiscard]] Graph close_body(OpenBody body);

/// Replaces the body's node by the nodes of the body, for an If whose condition is known. The
/// body's outputs take the names of the node's outputs; its other names stay where they are free in
/// `graph`. The body must have no inputs of its own.
void inline_body(Graph& graph, const BodyPlace& place);

/// Renames tensors and nodes of bodies whose names occur in several graphs of the model, so that a
/// name means one tensor, or one node, in the whole model. Names of the main graph stay; nodes of
/// bodies without a name get one. Returns how many names changed.
int make_body_names_unique(Graph& graph);

/// Renames tensors wherever the graph defines, reads or describes them, and in the bodies of its
/// nodes unless a body defines a tensor of that name itself.
void rename_tensors(Graph& graph, const std::map<std::string, std::string, std::less<>>& names);

}  // namespace quantsearch
