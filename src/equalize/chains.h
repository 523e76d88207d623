#pragma once

// Finds linear layers that are connected by a tensor whose channels may be scaled freely.

#include <optional>
#include <string>
#include <vector>

#include "equalize/homogeneous.h"
#include "equalize/linear_layer.h"
#include "quantsearch/model.h"

namespace quantsearch::equalizing {

/// A connection where the output channels of one layer are the input channels of another.
struct Link {
  int from = 0;  // index into ChainMap::layers
  int to = 0;
  std::vector<int> between;  // nodes from one layer to the other, in their order
  // Those of `between` that add a constant per channel, which is scaled too.
  std::vector<int> additions;
};

struct ChainMap {
  std::vector<LinearLayer> layers;  // in the order of the graph
  std::vector<Link> links;          // at most one from and one to each layer
  std::vector<std::string> notes;   // chains that end at a Clip
};

/// `graph` is sorted. A link contains only tensors that have one reader and are not graph outputs.
[[nodiscard]] ChainMap find_chains(const Graph& graph, const GraphIndex& index);

/// True when exactly one input of one node reads the tensor and it is not a graph output.
[[nodiscard]] bool has_one_reader(const Graph& graph, const GraphIndex& index,
                                  std::string_view tensor);

/// The constant that an Add, or the right side of a Sub, adds to each channel of `tensor`.
struct Addition {
  std::size_t input = 1;       // index of the node's input that is the constant
  std::vector<double> values;  // [channels]
};
[[nodiscard]] std::optional<Addition> addition(const GraphIndex& index, const Node& node,
                                               std::string_view tensor, ChannelAxis at,
                                               std::int64_t channels);

/// The axis of the channels in the layer's output; absent when the rank is not known.
[[nodiscard]] std::optional<ChannelAxis> output_axis(const GraphIndex& index, const Node& node,
                                                     const LinearLayer& layer);

}  // namespace quantsearch::equalizing
