#include "runtime/ort_library.h"

#include <gtest/gtest.h>

#include "quantsearch/internal/base/files.h"
#include "quantsearch/runtime.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;

/// An empty file at this place of a folder.
fs::path make_file(const fs::path& file) {
  fs::create_directories(file.parent_path());
  write_file_atomically(file, "");
  return file;
}

TEST(OrtLibrary, IsFoundInAReleaseAPythonPackageAndAFolder) {
  for (const char* place : {"lib", "lib64", "capi", ""}) {
    const TemporaryFolder folder;
    const fs::path file = make_file(folder.path() / place / "libonnxruntime.so.1.24.1");
    make_file(folder.path() / place / "libonnxruntime_providers_shared.so");
    EXPECT_EQ(find_ort_library(folder.path()), file);
  }
}

TEST(OrtLibrary, IsTheFileItselfOrTheOneWithoutAVersion) {
  const TemporaryFolder folder;
  const fs::path versioned = make_file(folder.path() / "libonnxruntime.so.1.29.0");
  const fs::path plain = make_file(folder.path() / "libonnxruntime.so");
  EXPECT_EQ(find_ort_library(folder.path()), plain);
  EXPECT_EQ(find_ort_library(versioned), versioned);
}

TEST(OrtLibrary, AMissingOneNamesThePlaces) {
  EXPECT_EQ(message_of<IoError>([] { (void)find_ort_library("/nowhere/ort"); }),
            "runtime library: found no libonnxruntime.so in '/nowhere/ort' or its folders lib, "
            "lib64, lib/" QUANTSEARCH_LIBRARY_ARCHITECTURE
            ", capi, expected the folder of an ONNX Runtime release (with lib/) or of the Python "
            "package 'onnxruntime' (with capi/)");
}

TEST(OrtLibrary, AFileThatIsNoLibraryIsRefused) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "libonnxruntime.so";
  write_file_atomically(file, "text");
  const std::string message = message_of<IoError>([&] { (void)load_ort_library(file); });
  EXPECT_TRUE(message.starts_with("runtime library: cannot load it: " + file.string() + ": "))
      << message;
}

TEST(OrtLibrary, AnotherLibraryIsRefused) {
  EXPECT_EQ(message_of<InvalidInput>([] { (void)load_ort_library(QUANTSEARCH_OTHER_LIBRARY); }),
            "runtime library: '" QUANTSEARCH_OTHER_LIBRARY
            "' is not ONNX Runtime, expected its libonnxruntime.so");
}

TEST(OrtLibrary, AnOldOneIsRefusedWithBothVersions) {
  EXPECT_EQ(message_of<Unsupported>([] { (void)load_ort_library(QUANTSEARCH_OLD_RUNTIME); }),
            "runtime library: '" QUANTSEARCH_OLD_RUNTIME
            "' is ONNX Runtime 1.19.2, expected 1.20 or later");
}

TEST(OrtLibrary, OneWithoutTheApiIsRefused) {
  EXPECT_EQ(message_of<Unsupported>([] { (void)load_ort_library(QUANTSEARCH_EMPTY_RUNTIME); }),
            "runtime library: '" QUANTSEARCH_EMPTY_RUNTIME
            "' is ONNX Runtime 1.99.0, expected 1.20 or later");
}

TEST(RuntimeLibrary, IsTheOneOfTheProcess) {
  const RuntimeLibrary library = runtime_library();
  EXPECT_TRUE(fs::exists(library.file)) << library.file;
  EXPECT_EQ("ONNX Runtime " + library.version, runtime_version());
  EXPECT_EQ(ort_library().file, library.file);
}

TEST(RuntimeLibrary, CannotBeChangedOnceItIsInUse) {
  const RuntimeLibrary library = runtime_library();
  EXPECT_EQ(message_of<InvalidInput>([] { use_runtime_library(QUANTSEARCH_OLD_RUNTIME); }),
            "runtime library: got '" QUANTSEARCH_OLD_RUNTIME
            "', but this process already uses ONNX Runtime " +
                library.version + " of '" + library.file.string() +
                "'; choose the library before the first session is opened");
  use_runtime_library(library.file);  // the same one
  EXPECT_EQ(runtime_library().file, library.file);
}

}  // namespace
}  // namespace quantsearch
