// Loads, saves and loads every model of the ONNX backend test suite and of libonnx's light models.

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model/canonical_proto.h"
#include "model/external_files.h"
#include "model/proto_read.h"
#include "model/proto_write.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/model.h"

namespace quantsearch {
namespace {

std::vector<std::filesystem::path> suite_models() {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path root =
      std::filesystem::path(QUANTSEARCH_DEPS_DIR) / "onnx" / "testdata";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".onnx") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

onnx::ModelProto parse_proto(const std::string& bytes) {
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(bytes));
  return proto;
}

std::int64_t opset_of(const onnx::ModelProto& proto) {
  for (const auto& opset : proto.opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") return opset.version();
  }
  return 0;
}

class BackendSuite : public ::testing::Test {
 protected:
  TemporaryFolder folder_;

  /// "" when loading, saving and loading again gives the same graph, bytes and canonical proto.
  /// Flushing a thousand files to disk takes long, so only some are saved with `on_disk`;
  /// save_model writes what serialize_model returns.
  std::string round_trip(const std::filesystem::path& file, const onnx::ModelProto& original,
                         bool on_disk) {
    const Model loaded = load_model(file);
    std::string saved = serialize_model(loaded);
    if (on_disk) {
      const std::filesystem::path copy = folder_.path() / "copy.onnx";
      save_model(loaded, copy);
      if (read_file(copy) != saved) return "the file differs from the bytes";
    }
    const Model again = parse_model(std::as_bytes(std::span(saved)));
    if (again != loaded) return "the graphs differ";
    if (serialize_model(again) != saved) return "the bytes differ";
    return testing::first_difference(testing::canonical(original),
                                     testing::canonical(parse_proto(saved)));
  }

  /// The same without the checks of load_model, for models of opsets that it refuses.
  std::string convert_and_back(const onnx::ModelProto& original) {
    model_io::ExternalFiles no_files(std::nullopt);
    const onnx::ModelProto written =
        model_io::write_model(model_io::read_model(original, no_files));
    return testing::first_difference(testing::canonical(original), testing::canonical(written));
  }
};

TEST_F(BackendSuite, EveryModelSurvivesTheRoundTrip) {
  int round_trips = 0;
  int too_old = 0;
  for (const std::filesystem::path& file : suite_models()) {
    const onnx::ModelProto original = parse_proto(read_file(file));
    SCOPED_TRACE(file.string());
    if (opset_of(original) < 7 && opset_of(original) > 0) {
      EXPECT_THROW((void)load_model(file), InvalidInput);
      EXPECT_EQ(convert_and_back(original), "");
      ++too_old;
      continue;
    }
    ASSERT_NO_THROW(EXPECT_EQ(round_trip(file, original, round_trips % 50 == 0), ""));
    ++round_trips;
  }
  fmt::print("backend suite: {} models came back as they were, {} more are older than opset 7\n",
             round_trips, too_old);
  EXPECT_GT(round_trips, 1000);
}

}  // namespace
}  // namespace quantsearch
