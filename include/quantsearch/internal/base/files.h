#pragma once

// Reads files, and writes them so that they are complete or absent: the content goes to a temporary
// file beside the target, which is flushed and then renamed over the target.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "quantsearch/base/error.h"

namespace quantsearch {

/// The file that writing to `file` creates or replaces: `file` itself, or the target of a symbolic
/// link, which need not exist. Throws InvalidInput for a folder, a device, a pipe or a socket,
/// which a rename would replace with a file, and for links in a circle.
[[nodiscard]] std::filesystem::path file_to_write(const std::filesystem::path& file);
/// Checks early whether `file` can be written: throws as file_to_write() does, and IoError when its
/// folder does not exist or is not writable.
void require_place_for(const std::filesystem::path& file);
/// "a folder", "a device" and so on, for messages.
[[nodiscard]] std::string kind_of_file(const std::filesystem::file_status& status);

/// A file could not be written because its disk, the quota of its user or the limit on the size of
/// files leaves no room.
class DiskFull : public IoError {
 public:
  using IoError::IoError;
};
/// Throws DiskFull when the number of the system's error says that there is no room, otherwise
/// IoError.
[[noreturn]] void fail_to_write(int error_number, const std::string& message);

/// Writes through `write` to a temporary file in the folder of file_to_write(file), flushes it to
/// disk (fsync) and renames it. Throws IoError, DiskFull where that is the reason, naming `file`
/// and the system's reason; then the temporary file is removed and an existing `file` keeps its
/// content.
void write_file_atomically(const std::filesystem::path& file,
                           const std::function<void(std::ostream&)>& write);
void write_file_atomically(const std::filesystem::path& file, std::string_view content);

/// Whole file as bytes. Throws InvalidInput when it does not exist, IoError when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

/// A read-only memory map of a file. `bytes` are valid while a copy of `owner` exists.
struct MappedFile {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};
/// Throws InvalidInput when the file does not exist or is a folder, IoError when it cannot be
/// mapped.
[[nodiscard]] MappedFile map_file(const std::filesystem::path& file);

/// The folder for temporary files: TMPDIR, or the system's folder. Throws IoError when it does not
/// exist.
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
