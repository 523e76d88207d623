#pragma once

// Reads the files beside a model that hold its external tensors. Each file is mapped once, and the
// tensors inside it share the map.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "quantsearch/internal/base/files.h"

namespace quantsearch::model_io {

/// The part of a file that holds one tensor.
struct ExternalSlice {
  std::string location;  // relative to the model's folder
  std::int64_t offset = 0;
  std::optional<std::int64_t> length;
};

class ExternalFiles {
 public:
  /// Without a folder every external tensor is refused.
  explicit ExternalFiles(std::optional<std::filesystem::path> folder)
      : folder_(std::move(folder)) {}

  /// Returns the bytes of `slice`, whose number must be `expected`. `what` names the tensor in
  /// messages ("initializer 'w'"). Throws InvalidInput when the length differs, or when the file is
  /// missing, outside the folder (also through a link) or too short.
  [[nodiscard]] MappedFile read(const ExternalSlice& slice, std::int64_t expected,
                                const std::string& what);

 private:
  [[nodiscard]] const MappedFile& map(const std::string& location, const std::string& what);

  std::optional<std::filesystem::path> folder_;
  std::map<std::string, MappedFile, std::less<>> files_;
};

}  // namespace quantsearch::model_io
