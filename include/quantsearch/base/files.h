#pragma once

// Files that are whole or absent: written beside their target, flushed, then renamed over it.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace quantsearch {

/// The file that writing to `file` makes or replaces: `file` itself, or what a symbolic link leads
/// to, which need not exist. Throws InvalidInput when a folder, a device, a pipe or a socket is
/// there: a rename would put a file in its place.
[[nodiscard]] std::filesystem::path file_to_write(const std::filesystem::path& file);
/// What writing to `file` would find out in the end: throws as file_to_write() does, and IoError
/// where its folder is not there or not to be written.
void require_place_for(const std::filesystem::path& file);
/// "a folder", "a device", ...: for messages.
[[nodiscard]] std::string kind_of_file(const std::filesystem::file_status& status);

/// Writes through `write` to a temporary in the folder of file_to_write(file), fsyncs and renames.
/// Throws IoError naming `file` and the system's reason; the temporary is removed and an existing
/// `file` keeps its content.
void write_file_atomically(const std::filesystem::path& file,
                           const std::function<void(std::ostream&)>& write);
void write_file_atomically(const std::filesystem::path& file, std::string_view content);

/// Whole file as bytes. Throws InvalidInput when it does not exist, IoError when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

/// A read-only memory map of a file; lives as long as the last owner.
struct MappedFile {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};
/// Throws InvalidInput when the file does not exist or is a folder, IoError when it cannot be
/// mapped.
[[nodiscard]] MappedFile map_file(const std::filesystem::path& file);

/// Where temporary files go: TMPDIR, or the system's folder. Throws IoError when it is not there.
[[nodiscard]] std::filesystem::path temporary_folder();

/// A new empty folder under the system's temporary folder (or `parent`), removed with its content
/// on destruction.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& parent = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace quantsearch
