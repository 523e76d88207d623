#pragma once

// Operators f with f(s x) = s f(x) for every scale s > 0 of a channel, through which a scale
// passes.

#include <optional>
#include <string>

#include "quantsearch/model.h"

namespace quantsearch::equalizing {

/// The axis of a tensor on which its channels lie.
struct ChannelAxis {
  int axis = 1;
  int rank = 0;
  bool operator==(const ChannelAxis&) const = default;
};

/// The axis of the channels in the first output of `node`, which reads `tensor` (with its channels
/// at `at`) once; absent when the scale of a channel does not pass.
[[nodiscard]] std::optional<ChannelAxis> passes_scale(const GraphIndex& index, const Node& node,
                                                      std::string_view tensor, ChannelAxis at,
                                                      std::int64_t channels);

}  // namespace quantsearch::equalizing
