#pragma once

// Messages of the library in the words of the package. The library names options of the command,
// such as --output; in Python the same thing is an argument or a key.

#include <string>
#include <string_view>

namespace quantsearch::python {

/// The message with arguments and keys in place of the command's options.
[[nodiscard]] std::string in_python(std::string_view message);

}  // namespace quantsearch::python
