#pragma once

// Who uses a file, told between processes: a lock that the system drops with its process, however
// that ends. It is held on a file of its own beside the other one: closing any descriptor of an
// SQLite database would drop SQLite's locks.

#include <filesystem>

namespace quantsearch {

class FileClaim {
 public:
  /// Nothing is claimed yet. `file`: the lock's own, made and removed by its holders.
  explicit FileClaim(std::filesystem::path file) : file_(std::move(file)) {}
  ~FileClaim();
  FileClaim(const FileClaim&) = delete;
  FileClaim& operator=(const FileClaim&) = delete;

  /// False when another holder excludes this one. Throws IoError when the lock cannot be made.
  [[nodiscard]] bool acquire(bool alone);

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace quantsearch
