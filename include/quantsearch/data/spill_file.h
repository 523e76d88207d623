#pragma once

// Bytes on disk that do not fit in memory. The file is nameless (unlinked as soon as it is open),
// so nothing is left behind however the process ends; it is read back through a memory map.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "quantsearch/base/descriptor.h"
#include "quantsearch/base/files.h"

namespace quantsearch {

class ResidentPages;

/// A folder that is empty or ours, meaning that it holds our marker file; files of others are never
/// touched.
class SpillFolder {
 public:
  /// Empty path: the system's temporary folder, which is not marked. Throws InvalidInput when the
  /// path is a file or a folder with content of others. Nothing is written yet.
  explicit SpillFolder(std::filesystem::path folder);
  /// Removes the marker and the folder if this object made them.
  ~SpillFolder();
  SpillFolder(const SpillFolder&) = delete;
  SpillFolder& operator=(const SpillFolder&) = delete;

  /// Makes and marks the folder. Throws IoError.
  void prepare();
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return folder_; }
  /// Of all maps of files in the folder, which share one limit on what stays in memory.
  [[nodiscard]] ResidentPages& pages() const noexcept { return *pages_; }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<ResidentPages> pages_;
  bool is_temporary_ = false;
  bool made_folder_ = false;
  bool made_marker_ = false;
};

class SpillFile {
 public:
  /// Throws IoError naming the folder.
  explicit SpillFile(const std::filesystem::path& folder);
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  /// Appends and returns where (a multiple of 64). Safe from several threads. Throws IoError,
  /// naming the way out when the disk is full.
  [[nodiscard]] std::int64_t append(std::span<const std::byte> bytes);
  [[nodiscard]] std::int64_t size() const noexcept { return end_; }

  /// The whole file; nothing is appended after this.
  [[nodiscard]] MappedFile map() const;

 private:
  std::filesystem::path folder_;
  Descriptor descriptor_;
  std::atomic<std::int64_t> end_{0};
};

}  // namespace quantsearch
