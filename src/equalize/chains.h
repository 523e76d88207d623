#pragma once

// Linear layers that are tied to one another by a tensor whose channels may be scaled freely.

#include <optional>
#include <string>
#include <vector>

#include "equalize/homogeneous.h"
#include "equalize/linear_layer.h"
#include "quantsearch/model.h"

namespace quantsearch::equalizing {

/// The output channels of one layer are the input channels of another.
struct Link {
  int from = 0;  // of ChainMap::layers
  int to = 0;
  std::vector<int> between;    // nodes from one to the other, in their order
  std::vector<int> additions;  // those of them that add a constant per channel, which scales too
};

struct ChainMap {
  std::vector<LinearLayer> layers;  // in the order of the graph
  std::vector<Link> links;          // at most one from and one to each layer
  std::vector<std::string> notes;   // chains that end at a Clip
};

/// `graph` is sorted. A link leads only through tensors with one reader that are no graph outputs.
[[nodiscard]] ChainMap find_chains(const Graph& graph, const GraphIndex& index);

/// Exactly one input of one node reads the tensor, and it is no graph output.
[[nodiscard]] bool has_one_reader(const Graph& graph, const GraphIndex& index,
                                  std::string_view tensor);

/// The constant that an Add, or the right side of a Sub, adds to each channel of `tensor`.
struct Addition {
  std::size_t input = 1;       // of the node: where the constant is
  std::vector<double> values;  // [channels]
};
[[nodiscard]] std::optional<Addition> addition(const GraphIndex& index, const Node& node,
                                               std::string_view tensor, ChannelAxis at,
                                               std::int64_t channels);

/// Where the channels of the layer's output lie; absent when the rank is not known.
[[nodiscard]] std::optional<ChannelAxis> output_axis(const GraphIndex& index, const Node& node,
                                                     const LinearLayer& layer);

}  // namespace quantsearch::equalizing
