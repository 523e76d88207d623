#include "runtime_library.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <onnxruntime_c_api.h>

#include "quantsearch/base/error.h"

namespace quantsearch::python {

namespace {

using GetApiBase = const OrtApiBase* (*)();

// The entry point of the loaded library. It belongs to the process, as the library does.
GetApiBase entry_point = nullptr;

}  // namespace

void use_runtime_library(const std::filesystem::path& path) {
  if (entry_point != nullptr) return;
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw IoError(fmt::format("runtime: cannot load '{}': {}", path.string(), ::dlerror()));
  const auto entry = reinterpret_cast<GetApiBase>(::dlsym(library, "OrtGetApiBase"));
  if (entry == nullptr)
    throw IoError(fmt::format("runtime: '{}' is not a library of ONNX Runtime", path.string()));
  if (entry()->GetApi(ORT_API_VERSION) == nullptr) {
    throw Unsupported(fmt::format(
        "runtime: got ONNX Runtime {}, expected 1.{} or newer; run pip install -U onnxruntime",
        entry()->GetVersionString(), ORT_API_VERSION));
  }
  entry_point = entry;
}

const OrtApiBase* loaded_api() { return entry_point == nullptr ? nullptr : entry_point(); }

}  // namespace quantsearch::python

// The rooms call this function of the runtime's library, which is not linked. The package loads the
// library before it offers anything else.
extern "C" const OrtApiBase* ORT_API_CALL OrtGetApiBase() noexcept {
  return quantsearch::python::loaded_api();
}
