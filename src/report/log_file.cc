#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <mutex>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/descriptor.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/report.h"

namespace quantsearch {

namespace {

struct LogFile {
  std::mutex mutex;
  std::ofstream stream;
};

std::string now_text() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(now);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), milliseconds);
}

/// Throws InvalidInput for a path that cannot be a log. Lines are appended, so a device is as
/// suitable as a file. A pipe needs a reader, because opening it would wait for one forever.
void require_log(const std::filesystem::path& file) {
  std::error_code ignored;  // opening the file reports the error
  const std::filesystem::file_status status = std::filesystem::status(file, ignored);
  if (std::filesystem::is_directory(status) || std::filesystem::is_socket(status)) {
    throw InvalidInput(fmt::format("log: '{}' is {}, expected a file; choose another with --log",
                                   file.string(), kind_of_file(status)));
  }
  if (!std::filesystem::is_fifo(status)) return;
  const Descriptor probe(::open(file.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (probe.get() < 0 && errno == ENXIO) {
    throw InvalidInput(
        fmt::format("log: '{}' is a pipe that nobody reads; start its reader first, or choose "
                    "another file with --log",
                    file.string()));
  }
}

}  // namespace

LogSink open_log_file(const std::filesystem::path& file) {
  require_log(file);
  auto log = std::make_shared<LogFile>();
  log->stream.open(file, std::ios::app);
  if (!log->stream)
    throw IoError(
        fmt::format("log: '{}' cannot be opened for writing: {}; choose another file with --log",
                    file.string(), std::strerror(errno)));
  return [log](LogLevel level, std::string_view line) {
    const std::lock_guard lock(log->mutex);
    log->stream << now_text() << ' ' << to_string(level) << ' ' << line << '\n' << std::flush;
  };
}

}  // namespace quantsearch
