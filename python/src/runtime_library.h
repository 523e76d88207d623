#pragma once

// Which ONNX Runtime this process uses.

#include <filesystem>

namespace quantsearch::python {

/// Loads the library at `path`, from which all sessions of this process come. Has no effect when
/// one is loaded already. Throws IoError when it cannot be loaded, and Unsupported when it is older
/// than the interface that this package was built with.
void use_runtime_library(const std::filesystem::path& path);

}  // namespace quantsearch::python
