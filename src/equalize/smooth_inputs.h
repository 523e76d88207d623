#pragma once

// Tensors whose channels linear layers contract, and the nodes that produce them.

#include <optional>
#include <string>
#include <vector>

#include "equalize/homogeneous.h"
#include "equalize/linear_layer.h"
#include "quantsearch/model.h"

namespace quantsearch::equalizing {

/// A node whose constants can absorb a scale of its output channels.
struct SmoothSource {
  enum class Kind { linear, normalization, factor };
  Kind kind = Kind::linear;
  int node = 0;
  int layer = -1;  // linear: index into SmoothMap::layers
  // Normalization: input with the scale, followed by the bias; factor: input with the constant.
  std::size_t constant = 1;
  struct Addition {
    int node = 0;
    ChannelAxis at;
  };
  // Constants added between it and the tensor, which are scaled too.
  std::vector<Addition> additions;
};

/// A tensor as its layers read it.
struct SmoothInput {
  std::string tensor;
  ChannelAxis at;  // rank 0: rank unknown, the channels are on the last axis
  std::int64_t channels = 0;
  std::vector<int> layers;  // indices into SmoothMap::layers; they read the tensor as input 0
  std::optional<SmoothSource> source;
};

struct SmoothMap {
  std::vector<LinearLayer> layers;  // in the order of the graph
  std::vector<SmoothInput> inputs;  // in the order of the first layer that reads them
  /// Inputs that must have the same scales because their layers share a weight. Every input is in
  /// one group.
  std::vector<std::vector<int>> groups;
};

/// `graph` is sorted.
[[nodiscard]] SmoothMap find_smooth_inputs(const Graph& graph, const GraphIndex& index);

}  // namespace quantsearch::equalizing
