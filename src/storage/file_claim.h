#pragma once

// Tells processes apart that use a file: a lock that the system releases when its process ends,
// however that happens. It is held on a separate file next to the other one, because closing any
// descriptor of an SQLite database would release SQLite's locks.

#include <filesystem>

namespace quantsearch {

class FileClaim {
 public:
  /// Claims nothing yet. `file` is the path of the lock file, which its holders create and remove.
  explicit FileClaim(std::filesystem::path file) : file_(std::move(file)) {}
  ~FileClaim();
  FileClaim(const FileClaim&) = delete;
  FileClaim& operator=(const FileClaim&) = delete;

  /// Returns false when another holder rules this claim out. Throws IoError when the lock file
  /// cannot be opened or locked.
  [[nodiscard]] bool acquire(bool alone);

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace quantsearch
