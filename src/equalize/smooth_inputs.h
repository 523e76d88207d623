#pragma once

// Tensors whose channels linear layers contract, and what makes those tensors.

#include <optional>
#include <string>
#include <vector>

#include "equalize/homogeneous.h"
#include "equalize/linear_layer.h"
#include "quantsearch/model.h"

namespace quantsearch::equalizing {

/// A node whose constants can take over a scale of its output channels.
struct SmoothSource {
  enum class Kind { linear, normalization, factor };
  Kind kind = Kind::linear;
  int node = 0;
  int layer = -1;  // linear: of SmoothMap::layers
  // Normalization: scale, bias behind it; factor: input with the constant.
  std::size_t constant = 1;
  struct Addition {
    int node = 0;
    ChannelAxis at;
  };
  std::vector<Addition> additions;  // constants added between it and the tensor: they scale too
};

/// A tensor as its layers read it.
struct SmoothInput {
  std::string tensor;
  ChannelAxis at;  // rank 0: not known, the channels are the last axis
  std::int64_t channels = 0;
  std::vector<int> layers;  // of SmoothMap::layers, that read it as input 0
  std::optional<SmoothSource> source;
};

struct SmoothMap {
  std::vector<LinearLayer> layers;  // in the order of the graph
  std::vector<SmoothInput> inputs;  // by the first layer that reads them
  /// Inputs that must have the same scales, because layers that read them share a weight; every
  /// input is in one group.
  std::vector<std::vector<int>> groups;
};

/// `graph` is sorted.
[[nodiscard]] SmoothMap find_smooth_inputs(const Graph& graph, const GraphIndex& index);

}  // namespace quantsearch::equalizing
