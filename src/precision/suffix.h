#pragma once

// Models that differ in one layer compute the same values before it. These functions find what two
// models have in common, the places at which few tensors are alive, and the part of a model that
// begins at given tensors.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

using TensorNames = std::set<std::string, std::less<>>;

/// The tensors of `model` that `base` computes in the same way under the same name: by equal
/// operators from equal inputs and constants. Their values are equal for every sample. A tensor
/// that is computed in another way, or under another name, is left out.
[[nodiscard]] TensorNames equal_tensors(const Model& base, const Model& model);

/// A place before a node, and the tensors by which everything after it can be computed. Graph
/// inputs, constants and what follows from constants are not named. In the place of a dequantized
/// value there are its integers, which are smaller and from which ONNX Runtime can still choose
/// integer kernels.
struct CutPoint {
  int node = 0;
  std::vector<std::string> tensors;
  bool operator==(const CutPoint&) const = default;
};
/// The places before the nodes of these operator types, in the order of the graph.
[[nodiscard]] std::vector<CutPoint> cut_points(const Graph& graph, const TensorNames& op_types);

/// The tensors of as many of these places as `limit_bytes` allows, in equal distances: of each
/// group of neighbours the place with the fewest bytes. `bytes_of` has every tensor of the places.
[[nodiscard]] TensorNames affordable_tensors(const std::vector<CutPoint>& places,
                                             const std::map<std::string, std::int64_t>& bytes_of,
                                             std::int64_t limit_bytes);

/// The part of a model that computes its outputs from given tensors.
struct Suffix {
  Model model;
  std::vector<std::string> given;   // inputs that are inner tensors of the whole model
  std::vector<std::string> inputs;  // inputs that the whole model has, too
};
/// `outputs`: the graph outputs that the part computes. `given`: tensors from which it may begin;
/// those that no other one hides become inputs, described as here. Bodies of If, Loop and Scan keep
/// what they read.
[[nodiscard]] Suffix suffix_of(const Model& model, const std::vector<std::string>& outputs,
                               const std::map<std::string, ValueInfo, std::less<>>& given);

}  // namespace quantsearch
