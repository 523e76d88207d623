#pragma once

// Tensors inside If, Loop and Scan, given out as tensors of the main graph so that a run returns
// them beside its outputs.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// A tensor of the main graph that holds the values of one of a body. After an If it is empty in
/// runs that take the other branch; after a Loop it is one row of the values of all iterations,
/// whose sizes may differ.
struct BodyTap {
  std::string name;
  int iteration_axes = 0;  // in front of the tensor's own: one for each Scan around it
};

struct TappedBodies {
  Model model;
  std::map<std::string, BodyTap> taps;  // by tensor of a body
};

/// Only those of `tensors` that bodies make are tapped; their names are unique in the whole model.
[[nodiscard]] TappedBodies tap_bodies(const Model& model, const std::vector<std::string>& tensors);

/// Tensors that bodies make or take from their own inputs, in the order of the nodes.
[[nodiscard]] std::vector<std::string> body_tensors(const Graph& graph);

/// Tensors that a MatMul reads as its left side, in the graph or in a body: their channels lie on
/// the last axis.
[[nodiscard]] std::set<std::string, std::less<>> matmul_left_sides(const Graph& graph);

}  // namespace quantsearch
