#pragma once

// Keeps bytes on disk that do not fit in memory. The file has no name (it is unlinked as soon as it
// is open), so nothing is left behind, even after a crash. It is read back through a memory map.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "quantsearch/internal/base/descriptor.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {

class ResidentPages;

/// A folder for spill files. It must be new, empty or marked by a marker file of quantsearch; files
/// of other programs are never touched.
class SpillFolder {
 public:
  /// An empty path means the system's temporary folder, which is not marked. Throws InvalidInput
  /// when the path is a file or a folder with other content, IoError when it cannot be read. Writes
  /// nothing yet.
  explicit SpillFolder(std::filesystem::path folder);
  /// Removes the marker and the folder if this object created them.
  ~SpillFolder();
  SpillFolder(const SpillFolder&) = delete;
  SpillFolder& operator=(const SpillFolder&) = delete;

  /// Creates and marks the folder and returns its path. May be called several times and
  /// concurrently. Throws IoError.
  const std::filesystem::path& prepare();
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return folder_; }
  /// The resident pages of all maps of files in the folder, which share one limit.
  [[nodiscard]] ResidentPages& pages() const noexcept { return *pages_; }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<ResidentPages> pages_;
  bool is_temporary_ = false;
  std::mutex mutex_;  // of the members below
  bool made_folder_ = false;
  bool made_marker_ = false;
};

/// What messages say about a spill file.
struct SpillWording {
  std::string content = "spilled tensors";
  std::string way_out = "raise the memory budget or give a cache folder with more space";
};

class SpillFile {
 public:
  /// Creates the file. Throws IoError naming the folder.
  explicit SpillFile(const std::filesystem::path& folder, SpillWording wording = {});
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  /// Appends the bytes and returns their offset, a multiple of 64. Safe from several threads.
  /// Throws IoError, which names the remedy for a full disk.
  [[nodiscard]] std::int64_t append(std::span<const std::byte> bytes);
  [[nodiscard]] std::int64_t size() const noexcept { return end_; }

  /// Maps the whole file. Nothing may be appended afterwards. Throws IoError.
  [[nodiscard]] MappedFile map() const { return map(size()); }
  /// Maps the first `length` bytes, which may be more than there are yet: bytes that are appended
  /// later are then in the map. Throws IoError.
  [[nodiscard]] MappedFile map(std::int64_t length) const;

 private:
  [[noreturn]] void fail(const char* action) const;

  std::filesystem::path folder_;
  SpillWording wording_;
  Descriptor descriptor_;
  std::atomic<std::int64_t> end_{0};
};

}  // namespace quantsearch
