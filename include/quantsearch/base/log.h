#pragma once

// The library writes text only to a sink that the caller passes in. A sink may be called from
// several threads.

#include <functional>
#include <string>
#include <string_view>

namespace quantsearch {

enum class LogLevel { detail, info, warning, error };
/// The name of the enumerator.
[[nodiscard]] std::string to_string(LogLevel level);

/// An empty sink drops all lines. Lines carry no newline at the end.
using LogSink = std::function<void(LogLevel level, std::string_view line)>;

inline void say(const LogSink& sink, LogLevel level, std::string_view line) {
  if (sink) sink(level, line);
}

}  // namespace quantsearch
