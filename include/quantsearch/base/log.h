#pragma once

// Text leaves the library only through a sink that the caller gives; a sink may be called from
// several threads.

#include <functional>
#include <string_view>

namespace quantsearch {

enum class LogLevel { detail, info, warning, error };

/// May be empty: then nothing is said. Lines carry no newline at the end.
using LogSink = std::function<void(LogLevel level, std::string_view line)>;

inline void say(const LogSink& sink, LogLevel level, std::string_view line) {
  if (sink) sink(level, line);
}

}  // namespace quantsearch
