#pragma once

// Makes tensors inside If, Loop and Scan tensors of the main graph, so that a run returns them with
// its outputs.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// A tensor of the main graph that holds the values of a tensor in a body. After an If it is empty
/// in runs that take the other branch. After a Loop it is one row with the values of all
/// iterations, whose sizes may differ.
struct BodyTap {
  std::string name;
  int iteration_axes = 0;  // before the tensor's own axes: one for each Scan around it
};

struct TappedBodies {
  Model model;
  std::map<std::string, BodyTap> taps;  // by tensor of a body
};

/// Taps those of `tensors` that are in bodies; their names are unique in the whole model.
[[nodiscard]] TappedBodies tap_bodies(const Model& model, const std::vector<std::string>& tensors);

/// Inputs of bodies and outputs of their nodes, in the order of the nodes.
[[nodiscard]] std::vector<std::string> body_tensors(const Graph& graph);

/// Tensors that a MatMul reads as its left input, in the graph or in a body. Their channels lie on
/// the last axis.
[[nodiscard]] std::set<std::string, std::less<>> matmul_left_sides(const Graph& graph);

}  // namespace quantsearch
