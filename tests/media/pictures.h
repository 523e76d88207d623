#pragma once

// Pictures as tensors [height, width, 3] of colours, or [height, width] of gray.

#include <functional>
#include <string>

#include "quantsearch/internal/media/picture.h"
#include "quantsearch/tensor.h"

namespace quantsearch::testing {

/// Which pixels of a picture of this size are read.
using NeededPixels = std::function<PictureRegion(ImageSize)>;

/// What decode_picture() makes of the bytes of a file. Absent: all pixels are needed; those that
/// are not needed have any value, or 0 when their row did not come.
[[nodiscard]] Tensor decoded(const std::string& file_content, const NeededPixels& needed = {});

/// What row_scaler() makes of a picture whose rows come as many at a time as `together` says, in
/// turn.
[[nodiscard]] Tensor scaled(const Tensor& picture, const Scaling& scaling,
                            const std::vector<int>& together = {4});

/// The gray of a picture of colours.
[[nodiscard]] Tensor gray_of(const Tensor& picture);

}  // namespace quantsearch::testing
