#include "runtime/ort_library.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <link.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "runtime/ort_api.h"

namespace quantsearch {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileName = "libonnxruntime.so";
constexpr const char* kSoname = "libonnxruntime.so.1";
constexpr const char* kArchitectureFolder = "lib/" QUANTSEARCH_LIBRARY_ARCHITECTURE;
// Of a release, a distribution, a Python package, and the given folder itself.
constexpr const char* kFolders[] = {"lib", "lib64", kArchitectureFolder, "capi", ""};

/// Returns libonnxruntime.so, or a name with a version such as libonnxruntime.so.1.24.1, which is
/// all that a Python package has.
std::optional<fs::path> library_in(const fs::path& folder) {
  std::error_code absent;
  if (fs::exists(folder / kFileName, absent)) return folder / kFileName;
  std::optional<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    const std::string name = entry.path().filename();
    const bool is_newer = !found || found->filename() < entry.path().filename();
    if (name.starts_with(std::string(kFileName) + ".") && is_newer) found = entry.path();
  }
  return found;
}

/// The folder of the shared library, or else the program, that this code is part of.
fs::path own_folder() {
  Dl_info info{};
  void* entry = nullptr;
  const auto* const inside = reinterpret_cast<const void*>(&own_folder);
  const bool is_known = ::dladdr1(inside, &info, &entry, RTLD_DL_LINKMAP) != 0;
  const auto* const object = static_cast<const link_map*>(entry);
  std::error_code ignored;
  // The program itself has no name there, and Dl_info has only how it was called.
  if (!is_known || object == nullptr || object->l_name == nullptr || *object->l_name == '\0')
    return fs::read_symlink("/proc/self/exe", ignored).parent_path();
  return fs::absolute(object->l_name, ignored).parent_path();
}

/// The places of the library that comes with this code, best first.
std::vector<fs::path> own_places() {
  const fs::path folder = own_folder();
  return {folder / "quantsearch" / kSoname,
          (folder / QUANTSEARCH_LIBRARIES_FROM_PROGRAM / kSoname).lexically_normal(),
          QUANTSEARCH_ONNXRUNTIME_LIBRARY};
}

OrtLibrary load_own_library() {
  const std::vector<fs::path> places = own_places();
  for (const fs::path& place : places) {
    std::error_code absent;
    if (fs::exists(place, absent)) return load_ort_library(place);
  }
  std::vector<std::string> texts;
  for (const fs::path& place : places) texts.push_back(fmt::format("'{}'", place.string()));
  throw IoError(
      fmt::format("runtime library: found no ONNX Runtime at {}; run scripts/setup, or let "
                  "ONNXRUNTIME_ROOT name the folder of a release or of the Python package",
                  fmt::join(texts, ", ")));
}

using FindApiBase = const OrtApiBase*(ORT_API_CALL*)();

/// Returns null when the library is not ONNX Runtime.
const OrtApiBase* api_base_of(void* handle) {
  const auto find = reinterpret_cast<FindApiBase>(::dlsym(handle, "OrtGetApiBase"));
  return find == nullptr ? nullptr : find();
}

/// Returns 24 for "1.24.1", and nullopt for another form.
std::optional<int> api_version_of(std::string_view version) {
  if (!version.starts_with("1.")) return std::nullopt;
  version.remove_prefix(2);
  int minor = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), minor);
  return error == std::errc() ? std::optional(minor) : std::nullopt;
}

OrtLibrary checked(void* handle, const fs::path& asked) {
  const OrtApiBase* const base = api_base_of(handle);
  if (base == nullptr) {
    throw InvalidInput(
        fmt::format("runtime library: '{}' is not ONNX Runtime, expected its libonnxruntime.so",
                    asked.string()));
  }
  OrtLibrary library{.file = asked, .version = base->GetVersionString(), .api = nullptr};
  // An old library prints to stderr when it is asked for an API that it lacks.
  const bool is_recent = api_version_of(library.version).value_or(kOrtApiVersion) >= kOrtApiVersion;
  if (is_recent) library.api = base->GetApi(kOrtApiVersion);
  if (library.api == nullptr) {
    throw Unsupported(
        fmt::format("runtime library: '{}' is ONNX Runtime {}, expected 1.{} or later",
                    asked.string(), library.version, kOrtApiVersion));
  }
  return library;
}

/// The library that the process, which may use ONNX Runtime itself, has loaded already.
std::optional<OrtLibrary> library_in_process() {
  void* const handle = ::dlopen(kSoname, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (handle == nullptr) return std::nullopt;
  const link_map* object = nullptr;
  (void)::dlinfo(handle, RTLD_DI_LINKMAP, static_cast<void*>(&object));
  return checked(handle, object == nullptr ? kSoname : object->l_name);
}

/// Gives the C++ interface the functions of version 20, the last of which is SetEpDynamicOptions.
/// Those of later versions are null. Without that, a call of one by mistake would work with a
/// recent library and read beyond the table of an old one; now it fails with both.
void start_interface(const OrtApi* api) {
  static OrtApi functions{};  // is not destroyed, because values may outlive other static objects
  constexpr std::size_t kBytes =
      offsetof(OrtApi, SetEpDynamicOptions) + sizeof(api->SetEpDynamicOptions);
  std::memcpy(&functions, api, kBytes);
  Ort::InitApi(&functions);
}

/// Since release 1.29 the runtime sends usage data to its vendor and stores it in the user's cache
/// folder and in /tmp, unless this variable is set before its environment is created. It is set
/// when the library is loaded, before other threads of a search could read the variables of the
/// process. A user who wants telemetry sets it to 0.
void decline_telemetry() {
  constexpr int kKeepWhatIsSet = 0;
  setenv("ORT_DISABLE_TELEMETRY", "1", kKeepWhatIsSet);
}

/// One process runs on one library: sessions, values and the environment belong to it.
struct ProcessLibrary {
  std::mutex mutex;
  std::optional<OrtLibrary> library;

  void set(OrtLibrary chosen) {
    decline_telemetry();
    start_interface(chosen.api);
    library = std::move(chosen);
  }
};

ProcessLibrary& process_library() {
  static ProcessLibrary library;
  return library;
}

}  // namespace

fs::path find_ort_library(const fs::path& place) {
  std::error_code absent;
  if (fs::is_regular_file(place, absent)) return place;
  for (const char* const folder : kFolders) {
    if (auto found = library_in(place / folder)) return *found;
  }
  throw IoError(
      fmt::format("runtime library: found no {} in '{}' or its folders {}, expected the folder of "
                  "an ONNX Runtime release (with lib/) or of the Python package 'onnxruntime' "
                  "(with capi/)",
                  kFileName, place.string(), fmt::join(std::span(kFolders).first<4>(), ", ")));
}

OrtLibrary load_ort_library(const fs::path& file) {
  // The name has a slash, so that the loader does not search for it.
  const fs::path path = fs::absolute(file);
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    throw IoError(fmt::format("runtime library: cannot load it: {}", ::dlerror()));
  return checked(handle, path);
}

const OrtLibrary& ort_library() {
  ProcessLibrary& process = process_library();
  const std::lock_guard lock(process.mutex);
  if (!process.library) {
    std::optional<OrtLibrary> loaded = library_in_process();
    process.set(loaded ? *std::move(loaded) : load_own_library());
  }
  return *process.library;
}

void use_runtime_library(const fs::path& place) {
  const fs::path file = find_ort_library(place);
  ProcessLibrary& process = process_library();
  const std::lock_guard lock(process.mutex);
  if (!process.library) return process.set(load_ort_library(file));
  std::error_code ignored;
  if (fs::equivalent(file, process.library->file, ignored)) return;
  throw InvalidInput(
      fmt::format("runtime library: got '{}', but this process already uses ONNX Runtime {} of "
                  "'{}'; choose the library before the first session is opened",
                  file.string(), process.library->version, process.library->file.string()));
}

std::string runtime_version() { return fmt::format("ONNX Runtime {}", ort_library().version); }

}  // namespace quantsearch
