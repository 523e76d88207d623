#include "quantsearch/internal/data/spill_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "data/resident_pages.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {

namespace {

constexpr const char* kMarker = ".quantsearch_cache";
constexpr std::int64_t kAlignment = 64;

bool is_foreign(const std::filesystem::path& folder) {
  return !std::filesystem::is_empty(folder) && !std::filesystem::exists(folder / kMarker);
}

}  // namespace

SpillFolder::SpillFolder(std::filesystem::path folder)
    : folder_(std::move(folder)), pages_(std::make_unique<ResidentPages>()) {
  if (folder_.empty()) {
    folder_ = temporary_folder();
    is_temporary_ = true;
    return;
  }
  try {
    if (!std::filesystem::exists(folder_)) return;
    if (!std::filesystem::is_directory(folder_)) {
      throw InvalidInput(fmt::format("data: the cache folder '{}' is a file, expected a folder",
                                     folder_.string()));
    }
    if (is_foreign(folder_)) {
      throw InvalidInput(
          fmt::format("data: the cache folder '{}' is neither empty nor one of quantsearch (it has "
                      "no '{}'); give "
                      "an empty or a new one",
                      folder_.string(), kMarker));
    }
  } catch (const std::filesystem::filesystem_error& error) {
    throw IoError(fmt::format("data: the cache folder '{}' cannot be read: {}", folder_.string(),
                              error.code().message()));
  }
}

const std::filesystem::path& SpillFolder::prepare() {
  if (is_temporary_) return folder_;
  const std::lock_guard lock(mutex_);
  try {
    if (std::filesystem::create_directories(folder_)) made_folder_ = true;
  } catch (const std::filesystem::filesystem_error& error) {
    throw IoError(fmt::format("data: the cache folder '{}' cannot be made: {}", folder_.string(),
                              error.code().message()));
  }
  if (std::filesystem::exists(folder_ / kMarker)) return folder_;
  write_file_atomically(
      folder_ / kMarker,
      "Marks a cache folder of quantsearch; may be deleted when none is running.\n");
  made_marker_ = true;
  return folder_;
}

SpillFolder::~SpillFolder() {
  std::error_code ignored;
  if (made_marker_) std::filesystem::remove(folder_ / kMarker, ignored);
  if (made_folder_) std::filesystem::remove(folder_, ignored);  // only when it is empty
}

SpillFile::SpillFile(const std::filesystem::path& folder, SpillWording wording)
    : folder_(folder), wording_(std::move(wording)) {
  std::string pattern = (folder / "quantsearch-outputs-XXXXXX").string();
  descriptor_ = Descriptor(::mkostemp(pattern.data(), O_CLOEXEC));
  if (!descriptor_.is_open()) {
    throw IoError(fmt::format("data: {} cannot be written in '{}': {}", wording_.content,
                              folder.string(), std::strerror(errno)));
  }
  ::unlink(pattern.c_str());
}

void SpillFile::fail(const char* action) const {
  const int reason = errno;
  fail_to_write(reason,
                fmt::format("data: {} cannot be {} in '{}': {}; {}", wording_.content, action,
                            folder_.string(), std::strerror(reason), wording_.way_out));
}

std::int64_t SpillFile::append(std::span<const std::byte> bytes) {
  const auto length = static_cast<std::int64_t>(bytes.size());
  const std::int64_t start = end_.fetch_add((length + kAlignment - 1) / kAlignment * kAlignment);
  std::int64_t done = 0;
  while (done < length) {
    const ssize_t written =
        ::pwrite(descriptor_.get(), bytes.data() + done, static_cast<std::size_t>(length - done),
                 static_cast<off_t>(start + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("written");
    done += written;
  }
  return start;
}

MappedFile SpillFile::map(std::int64_t length) const {
  const auto bytes = static_cast<std::size_t>(length);
  if (bytes == 0) return {};
  // The end of the map may not be in the file yet, and reading beyond the end of the file would be
  // a bus error.
  if (::ftruncate(descriptor_.get(), static_cast<off_t>(length)) != 0) fail("written");
  void* const address = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor_.get(), 0);
  if (address == MAP_FAILED) fail("mapped");
  std::shared_ptr<const void> owner(
      address, [bytes](const void* mapped) { ::munmap(const_cast<void*>(mapped), bytes); });
  return {.owner = std::move(owner), .bytes = {static_cast<const std::byte*>(address), bytes}};
}

}  // namespace quantsearch
