#pragma once

// A numpy array in a file, read by rows of its first axis.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "quantsearch/tensor.h"

namespace quantsearch {

/// Reading is safe from several threads and holds no more than the rows asked for and a bounded
/// cache.
class StoredArray {
 public:
  virtual ~StoredArray() = default;
  [[nodiscard]] virtual DataType type() const = 0;
  [[nodiscard]] virtual const Shape& shape() const = 0;
  /// Rows [first, first + count) in C order, within the shape, which has an axis.
  [[nodiscard]] virtual Tensor rows(std::int64_t first, std::int64_t count) const = 0;
};

/// The arrays of an .npz by name, or the one of an .npy under the file's name without its
/// extension. The content, not the extension, says which of both a file is. Throws InvalidInput or
/// Unsupported (npy_header.h, zip.h).
struct ArrayFile {
  std::filesystem::path path;
  bool is_archive = false;
  std::map<std::string, std::shared_ptr<const StoredArray>> arrays;
};
[[nodiscard]] ArrayFile open_arrays(const std::filesystem::path& file);

/// "array 'x' of 'file.npz'".
[[nodiscard]] std::string describe_array(const std::string& name,
                                         const std::filesystem::path& file);

}  // namespace quantsearch
