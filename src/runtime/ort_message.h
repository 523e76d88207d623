#pragma once

// ONNX Runtime's messages carry the file, line and function of its source; users are helped by the
// rest alone.

#include <string>
#include <string_view>

namespace quantsearch {

/// The message on one line, without places in the source.
[[nodiscard]] std::string one_line(std::string_view message);

}  // namespace quantsearch
