#include "model/external_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <system_error>

#include "quantsearch/base/error.h"

namespace quantsearch::model_io {

namespace {

/// True when `file` lies in `folder`, both without links and dots.
bool is_inside(const std::filesystem::path& file, const std::filesystem::path& folder) {
  const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  return end == folder.end();
}

}  // namespace

MappedFile ExternalFiles::read(const ExternalSlice& slice, std::int64_t expected,
                               const std::string& what) {
  if (slice.length && *slice.length != expected) {
    throw InvalidInput(fmt::format("{}: its external data have {} bytes, expected {}", what,
                                   *slice.length, expected));
  }
  const MappedFile& file = map(slice.location, what);
  const auto available = static_cast<std::int64_t>(file.bytes.size());
  if (slice.offset < 0 || slice.offset > available || expected > available - slice.offset) {
    throw InvalidInput(fmt::format(
        "{}: external file '{}' has {} bytes, expected {} bytes at offset {}; copy it again", what,
        slice.location, available, expected, slice.offset));
  }
  return {.owner = file.owner,
          .bytes = file.bytes.subspan(static_cast<std::size_t>(slice.offset),
                                      static_cast<std::size_t>(expected))};
}

const MappedFile& ExternalFiles::map(const std::string& location, const std::string& what) {
  const auto known = files_.find(location);
  if (known != files_.end()) return known->second;
  if (location.empty()) throw InvalidInput(fmt::format("{}: its external data name no file", what));
  if (!folder_) {
    throw InvalidInput(fmt::format(
        "{}: its data are in external file '{}', but the model was given as bytes without "
        "a folder; load it from its file",
        what, location));
  }
  const std::filesystem::path relative(location);
  std::error_code error;
  const auto folder = std::filesystem::weakly_canonical(*folder_, error);
  const auto file = std::filesystem::weakly_canonical(*folder_ / relative, error);
  if (relative.is_absolute() || error || !is_inside(file, folder)) {
    throw InvalidInput(
        fmt::format("{}: external file '{}' is outside the model's folder '{}', expected a file in "
                    "it; export the model again with its data beside it",
                    what, location, folder_->string()));
  }
  if (!std::filesystem::is_regular_file(file, error)) {
    throw InvalidInput(
        fmt::format("{}: external file '{}' is missing from the model's folder '{}'; copy it there",
                    what, location, folder_->string()));
  }
  return files_.emplace(location, map_file(file)).first->second;
}

}  // namespace quantsearch::model_io
