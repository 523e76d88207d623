#pragma once

// ONNX Runtime's messages carry the file, line and function of its source code, which do not help
// users.

#include <string>
#include <string_view>

namespace quantsearch {

/// The message on one line, without source locations.
[[nodiscard]] std::string one_line(std::string_view message);

}  // namespace quantsearch
