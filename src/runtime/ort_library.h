#pragma once

// The shared library of ONNX Runtime. It is loaded at run time, so that a user chooses the release
// and the execution providers without building anything.

#include <filesystem>
#include <string>

struct OrtApi;

namespace quantsearch {

/// The API version that is asked for. 20 belongs to ONNX Runtime 1.20 and has every function that
/// this room calls. Functions of later versions are null in the C++ interface, with every library.
inline constexpr int kOrtApiVersion = 20;

struct [[gnu::visibility("hidden")]] OrtLibrary {
  std::filesystem::path file;
  std::string version;  // such as "1.29.0"
  const OrtApi* api = nullptr;
};

/// Returns the library in `place`: the file itself, or the one in a release (`lib/`), in a Python
/// package (`capi/`) or directly in the folder. Throws IoError naming the places when there is
/// none.
[[nodiscard]] std::filesystem::path find_ort_library(const std::filesystem::path& place);
/// Loads the library of a file. Throws IoError when it cannot be loaded, InvalidInput when it is
/// not ONNX Runtime, and Unsupported when it is older than kOrtApiVersion.
[[nodiscard]] OrtLibrary load_ort_library(const std::filesystem::path& file);

/// The library of this process. The first call loads the one that use_runtime_library() has not
/// chosen: that which the process has loaded already, or else the one installed beside this code,
/// or else that of the build. Throws as load_ort_library() does. Call it before anything of the
/// namespace Ort is used.
[[nodiscard]] const OrtLibrary& ort_library();

}  // namespace quantsearch
