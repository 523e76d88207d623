#include "quantsearch/internal/base/files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/descriptor.h"

namespace quantsearch {

namespace {

std::string system_reason() { return std::strerror(errno); }

Descriptor open_for_reading(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) {
    throw InvalidInput(fmt::format("file '{}' does not exist", file.string()));
  }
  if (std::filesystem::is_directory(file)) {
    throw InvalidInput(fmt::format("'{}' is a folder, expected a file", file.string()));
  }
  const int number = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) {
    throw IoError(fmt::format("file '{}' cannot be opened: {}", file.string(), system_reason()));
  }
  return Descriptor(number);
}

void flush_to_disk(const std::filesystem::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() >= 0 && ::fsync(descriptor.get()) == 0) return;
  const int reason = errno;
  fail_to_write(reason, fmt::format("file '{}' cannot be flushed to disk: {}", file.string(),
                                    std::strerror(reason)));
}

/// Follows symbolic links one by one, because the last one may lead to a file that does not exist
/// yet.
std::filesystem::path follow_links(std::filesystem::path file) {
  constexpr int kMostLinks = 40;  // the limit of the Linux kernel
  const std::filesystem::path first = file;
  std::error_code none;  // ignored: where reading a link is not allowed, the write fails later
  for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(file, none));
       ++links) {
    if (links == kMostLinks) {
      throw InvalidInput(
          fmt::format("'{}' is a symbolic link that leads to itself, expected the name of a file",
                      first.string()));
    }
    file = file.parent_path() / std::filesystem::read_symlink(file, none);
  }
  return file;
}

}  // namespace

std::string kind_of_file(const std::filesystem::file_status& status) {
  switch (status.type()) {
    case std::filesystem::file_type::directory:
      return "a folder";
    case std::filesystem::file_type::character:
    case std::filesystem::file_type::block:
      return "a device";
    case std::filesystem::file_type::fifo:
      return "a pipe";
    case std::filesystem::file_type::socket:
      return "a socket";
    default:
      return "a file";
  }
}

std::filesystem::path file_to_write(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw InvalidInput(fmt::format("'{}' is {}, expected the name of a file", file.string(),
                                   kind_of_file(status)));
  }
  return follow_links(file);
}

void require_place_for(const std::filesystem::path& file) {
  const std::filesystem::path folder = file_to_write(file).parent_path();
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0) return;
  throw IoError(fmt::format("file '{}' cannot be written: {}", file.string(), system_reason()));
}

void fail_to_write(int error_number, const std::string& message) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      throw DiskFull(message);
    default:
      throw IoError(message);
  }
}

void write_file_atomically(const std::filesystem::path& file,
                           const std::function<void(std::ostream&)>& write) {
  const std::filesystem::path target = file_to_write(file);
  // The process id keeps two processes that write the same file apart.
  std::filesystem::path temporary = target;
  temporary += fmt::format(".{}.partial", ::getpid());
  try {
    errno = 0;
    std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
    if (stream) write(stream);
    stream.close();
    if (!stream) {
      const int reason = errno;
      fail_to_write(reason,
                    fmt::format("file '{}' cannot be written: {}", file.string(),
                                reason != 0 ? std::strerror(reason) : "the disk refused the data"));
    }
    flush_to_disk(temporary);
    std::filesystem::rename(temporary, target);
  } catch (const std::filesystem::filesystem_error& error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    fail_to_write(error.code().value(), fmt::format("file '{}' cannot be written: {}",
                                                    file.string(), error.code().message()));
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

void write_file_atomically(const std::filesystem::path& file, std::string_view content) {
  write_file_atomically(file, [content](std::ostream& stream) {
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  });
}

std::string read_file(const std::filesystem::path& file) {
  const MappedFile map = map_file(file);
  return {reinterpret_cast<const char*>(map.bytes.data()), map.bytes.size()};
}

MappedFile map_file(const std::filesystem::path& file) {
  const Descriptor descriptor = open_for_reading(file);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) {
    throw IoError(fmt::format("file '{}' cannot be read: {}", file.string(), system_reason()));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return {};
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) {
    throw IoError(fmt::format("file '{}' cannot be mapped: {}", file.string(), system_reason()));
  }
  std::shared_ptr<const void> owner(
      address, [size](const void* mapped) { ::munmap(const_cast<void*>(mapped), size); });
  return {.owner = std::move(owner), .bytes = {static_cast<const std::byte*>(address), size}};
}

namespace {

/// The error of the standard library does not say which folder it looked for. These are the
/// variables it reads, in its order.
std::string wanted_temporary_folder() {
  for (const char* const variable : {"TMPDIR", "TMP", "TEMP", "TEMPDIR"}) {
    if (const char* const folder = std::getenv(variable))
      return fmt::format("'{}' ({})", folder, variable);
  }
  return "'/tmp'";
}

}  // namespace

std::filesystem::path temporary_folder() {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  if (!error) return folder;
  throw IoError(fmt::format(
      "the folder for temporary files, {}, cannot be used: {}; make it, or set TMPDIR to another",
      wanted_temporary_folder(), error.message()));
}

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent) {
  const std::filesystem::path folder = parent.empty() ? temporary_folder() : parent;
  std::string pattern = (folder / "quantsearch-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw IoError(fmt::format("a temporary folder cannot be made in '{}': {}{}", folder.string(),
                              system_reason(), parent.empty() ? "; set TMPDIR to another" : ""));
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace quantsearch
