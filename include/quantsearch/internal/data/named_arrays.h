#pragma once

// Arrays that are found by a name and read one by one.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/tensor.h"

namespace quantsearch {

class NamedArrays {
 public:
  virtual ~NamedArrays() = default;
  [[nodiscard]] virtual const std::vector<std::string>& names() const = 0;
  /// The array of a name.
  [[nodiscard]] virtual Tensor read(std::size_t index) const = 0;
};

/// The arrays of an .npz; or the .npy and .png files of a folder and its sub-folders, named by
/// their paths there without the extension. A .png is [height, width]: levels of gray or indices
/// of a palette. Hidden files and those of other kinds are left out. This and read() throw
/// InvalidInput naming the file: there is no array, or it is damaged.
[[nodiscard]] std::unique_ptr<const NamedArrays> open_named_arrays(
    const std::filesystem::path& place);

}  // namespace quantsearch
