#pragma once

// The sliding window that convolution and pooling share, over the spatial axes (those after batch
// and channel).

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/reference_kernels.h"

namespace quantsearch::reference {

struct Window {
  Shape kernel;
  Shape strides;
  Shape dilations;
  Shape pads_begin;
  Shape pads_end;
  Shape output;  // number of positions of the window on each axis

  /// Position in the input of tap `tap` of the window at `position` on one axis; nullopt in the
  /// padding.
  [[nodiscard]] std::optional<std::int64_t> source(std::size_t axis, std::int64_t position,
                                                   std::int64_t tap, std::int64_t input_size) const;
};

/// The window that the attributes strides, dilations, pads, auto_pad and ceil_mode describe.
/// `input` and `kernel` hold the spatial sizes.
[[nodiscard]] Window make_window(const KernelCall& call, const Shape& input, const Shape& kernel);

/// The sizes of the axes after batch and channel.
[[nodiscard]] Shape spatial_shape(const Tensor& tensor);
/// [batch, channel, spatial...].
[[nodiscard]] Shape full_index(std::int64_t batch, std::int64_t channel, const Shape& spatial);

}  // namespace quantsearch::reference
