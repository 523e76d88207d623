#pragma once

// Names from which the kernels of a profile can be traced back to nodes. The runtime makes names of
// kernels out of the names of nodes, or of the tensors that they write.

#include <string_view>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// A copy of the model in which every node of the main graph, and every tensor that a node writes
/// and that no body reads, is called after the index of the node. Outputs have such names, too.
[[nodiscard]] Model with_traceable_names(const Model& model);

/// The indices that the name of a kernel holds, in its order.
[[nodiscard]] std::vector<int> traced_nodes(std::string_view kernel);

}  // namespace quantsearch
