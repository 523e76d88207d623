#include <fmt/chrono.h>
#include <fmt/core.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <mutex>

#include "quantsearch/base/error.h"
#include "quantsearch/report.h"

namespace quantsearch {

namespace {

const char* name_of(LogLevel level) {
  switch (level) {
    case LogLevel::detail:
      return "detail";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "?";
}

struct LogFile {
  std::mutex mutex;
  std::ofstream stream;
};

std::string now_text() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(now);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), milliseconds);
}

}  // namespace

LogSink open_log_file(const std::filesystem::path& file) {
  auto log = std::make_shared<LogFile>();
  log->stream.open(file, std::ios::app);
  if (!log->stream)
    throw IoError(
        fmt::format("log: '{}' cannot be opened for writing: {}; choose another file with --log",
                    file.string(), std::strerror(errno)));
  return [log](LogLevel level, std::string_view line) {
    const std::lock_guard lock(log->mutex);
    log->stream << now_text() << ' ' << name_of(level) << ' ' << line << '\n' << std::flush;
  };
}

}  // namespace quantsearch
