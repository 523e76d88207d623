#pragma once

// A numpy array in a file, read by rows of its first axis.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "quantsearch/tensor.h"

namespace quantsearch {

/// Reading is safe from several threads and holds only the requested rows and a bounded cache in
/// memory.
class StoredArray {
 public:
  virtual ~StoredArray() = default;
  [[nodiscard]] virtual DataType type() const = 0;
  [[nodiscard]] virtual const Shape& shape() const = 0;
  /// Rows [first, first + count) in C order. The array must have an axis and these rows.
  [[nodiscard]] virtual Tensor rows(std::int64_t first, std::int64_t count) const = 0;
};

/// The arrays of an .npz by name, or the one of an .npy under the file's name without its
/// extension.
struct ArrayFile {
  std::filesystem::path path;
  bool is_archive = false;
  std::map<std::string, std::shared_ptr<const StoredArray>> arrays;
};
/// The content of the file, not its extension, decides whether it is an .npz or an .npy. Throws
/// InvalidInput or Unsupported (npy_header.h, zip.h). `cache_folder` is for the decoded bytes of
/// large deflated arrays; an empty path means the system's temporary folder.
[[nodiscard]] ArrayFile open_arrays(const std::filesystem::path& file,
                                    const std::filesystem::path& cache_folder = {});

/// "array 'x' of 'file.npz'".
[[nodiscard]] std::string describe_array(const std::string& name,
                                         const std::filesystem::path& file);

}  // namespace quantsearch
