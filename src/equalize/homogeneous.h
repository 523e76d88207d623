#pragma once

// Operators f with f(s x) = s f(x) for every s > 0 of a channel: a scale of the channels passes
// through them.

#include <optional>
#include <string>

#include "quantsearch/model.h"

namespace quantsearch::equalizing {

/// Which axis of a tensor its channels are.
struct ChannelAxis {
  int axis = 1;
  int rank = 0;
  bool operator==(const ChannelAxis&) const = default;
};

/// Where the channels of `tensor` (with `at` and `channels`) lie in the first output of `node`,
/// which reads it once; absent when the scale of a channel does not pass.
[[nodiscard]] std::optional<ChannelAxis> passes_scale(const GraphIndex& index, const Node& node,
                                                      std::string_view tensor, ChannelAxis at,
                                                      std::int64_t channels);

}  // namespace quantsearch::equalizing
