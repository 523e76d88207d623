#pragma once

// Writes .npy and .npz files of every kind that the reader must accept, and damaged ones.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "quantsearch/tensor.h"

namespace quantsearch::testing {

/// An .npy of version 1, 2 or 3 with this header text, padded as numpy pads it.
[[nodiscard]] std::string npy(const std::string& dictionary, std::span<const std::byte> data,
                              int version = 1);
/// The same for a tensor in C order, little-endian.
[[nodiscard]] std::string npy(const Tensor& tensor);

struct ZipPart {
  std::string name;
  std::string content;
  bool deflate = false;
  bool zip64 = false;
};
[[nodiscard]] std::string zip(const std::vector<ZipPart>& parts);

}  // namespace quantsearch::testing
