#include "storage/file_claim.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

/// True when the path still refers to the open file, which its last holder may have removed
/// meanwhile.
bool is_still_named(int descriptor, const std::filesystem::path& file) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::stat(file.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

}  // namespace

FileClaim::~FileClaim() {
  if (descriptor_ < 0) return;
  // Only an exclusive holder may remove it.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) (void)::unlink(file_.c_str());
  ::close(descriptor_);
}

bool FileClaim::acquire(bool alone) {
  while (true) {
    const int descriptor = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) {
      throw IoError(fmt::format("study lock '{}' cannot be opened: {}", file_.string(),
                                std::strerror(errno)));
    }
    if (::flock(descriptor, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
      const int reason = errno;
      ::close(descriptor);
      if (reason == EWOULDBLOCK) return false;
      throw IoError(fmt::format("study lock '{}' cannot be taken: {}", file_.string(),
                                std::strerror(reason)));
    }
    if (is_still_named(descriptor, file_)) {
      descriptor_ = descriptor;
      return true;
    }
    ::close(descriptor);
  }
}

}  // namespace quantsearch
