// Runs the ONNX backend test suite on ONNX Runtime: a model that was loaded and saved, or converted
// to a newer opset, must run as the original file does. ONNX Runtime is called directly, so that
// none of our code touches the original.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/internal/base/files.h"
#include "quantsearch/runtime.h"
#include "runtime/ort_api.h"
#include "runtime/ort_library.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;

using Outputs = std::vector<Tensor>;  // an undefined tensor stands for an output of another kind

struct SuiteCase {
  fs::path folder;
  std::string original;
  std::vector<Tensor> inputs;
};

std::vector<fs::path> folders() {
  std::vector<fs::path> found;
  for (const auto& suite : fs::directory_iterator(QUANTSEARCH_DEPS_DIR "/onnx/testdata")) {
    if (!suite.is_directory()) continue;
    for (const auto& entry : fs::directory_iterator(suite)) {
      if (fs::exists(entry.path() / "model.onnx")) found.push_back(entry.path());
    }
  }
  std::ranges::sort(found);
  return found;
}

/// Nullopt when an input is a sequence, an optional or a tensor of strings.
std::optional<SuiteCase> load_case(const fs::path& folder) {
  SuiteCase loaded{.folder = folder, .original = read_file(folder / "model.onnx"), .inputs = {}};
  try {
    for (int index = 0;; ++index) {
      const fs::path file = folder / "test_data_set_0" / fmt::format("input_{}.pb", index);
      if (!fs::exists(file)) return loaded;
      loaded.inputs.push_back(load_tensor(file).tensor);
      if (loaded.inputs.back().type() == DataType::string) return std::nullopt;
    }
  } catch (const Error&) {
    return std::nullopt;
  }
}

Tensor to_tensor(Ort::Value& value) {
  if (!value.IsTensor()) return {};
  const auto info = value.GetTensorTypeAndShapeInfo();
  const auto type = static_cast<DataType>(info.GetElementType());  // the same numbers as in ONNX
  if (type == DataType::string) {
    std::vector<std::string> strings;
    for (std::size_t index = 0; index < info.GetElementCount(); ++index) {
      strings.push_back(value.GetStringTensorElement(index));
    }
    return Tensor::of_strings(info.GetShape(), std::move(strings));
  }
  const auto bytes = static_cast<std::size_t>(byte_count(type, info.GetShape()));
  return Tensor::from_bytes(
      type, info.GetShape(),
      {static_cast<const std::byte*>(value.GetTensorMutableRawData()), bytes});
}

class [[gnu::visibility("hidden")]] BackendSuite : public ::testing::Test {
 protected:
  // Without this the runtime sends and stores telemetry from its own thread (docs/decisions/0005).
  static void SetUpTestSuite() {
    setenv("ORT_DISABLE_TELEMETRY", "1", 1);
    (void)ort_library();
  }

  /// Nullopt when ONNX Runtime does not load or run the model.
  std::optional<Outputs> run(const std::string& model, const std::vector<Tensor>& inputs) {
    try {
      Ort::SessionOptions options;
      options.SetIntraOpNumThreads(1);
      options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
      Ort::Session session(environment_, model.data(), model.size(), options);
      const std::vector<std::string> input_names = session.GetInputNames();
      const std::vector<std::string> output_names = session.GetOutputNames();
      const Ort::MemoryInfo memory =
          Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
      std::vector<Ort::Value> values;
      std::vector<const char*> names;
      std::vector<const char*> wanted;
      for (std::size_t index = 0; index < std::min(inputs.size(), input_names.size()); ++index) {
        const Tensor& input = inputs[index];
        values.push_back(Ort::Value::CreateTensor(
            memory, const_cast<std::byte*>(input.bytes().data()), input.bytes().size(),
            input.shape().data(), input.shape().size(),
            static_cast<ONNXTensorElementDataType>(input.type())));
        names.push_back(input_names[index].c_str());
      }
      for (const std::string& name : output_names) wanted.push_back(name.c_str());
      std::vector<Ort::Value> results = session.Run(Ort::RunOptions{}, names.data(), values.data(),
                                                    values.size(), wanted.data(), wanted.size());
      Outputs outputs;
      for (Ort::Value& result : results) outputs.push_back(to_tensor(result));
      return outputs;
    } catch (const Ort::Exception&) {
      return std::nullopt;
    }
  }

  Ort::Env environment_{ORT_LOGGING_LEVEL_FATAL, "backend suite"};
};

TEST_F(BackendSuite, SavedModelsRunAsTheOriginals) {
  int identical = 0;
  int random = 0;
  int not_run = 0;
  for (const fs::path& folder : folders()) {
    const std::optional<SuiteCase> current = load_case(folder);
    const auto expected = current ? run(current->original, current->inputs) : std::nullopt;
    Model model;
    try {
      model = load_model(folder / "model.onnx");
    } catch (const InvalidInput&) {
      continue;  // older than opset 7
    }
    if (!expected) {
      ++not_run;
      continue;
    }
    const auto outputs = run(serialize_model(model), current->inputs);
    if (outputs == expected) {
      ++identical;
    } else if (run(current->original, current->inputs) != expected) {
      ++random;  // Bernoulli and similar operators give other values in every run
    } else {
      ADD_FAILURE() << folder;
    }
  }
  fmt::print("saved models: {} give identical outputs, {} are random, {} do not run on {}\n",
             identical, random, not_run, runtime_version());
  EXPECT_GT(identical, 900);
  EXPECT_LT(random, 20);
}

/// Kernels of another opset may add in another order, so the outputs may differ by rounding.
bool is_close(const Outputs& left, const Outputs& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t output = 0; output < left.size(); ++output) {
    if (left[output] == right[output]) continue;
    if (left[output].type() != DataType::float32 || left[output].shape() != right[output].shape())
      return false;
    for (std::int64_t index = 0; index < left[output].size(); ++index) {
      const float a = left[output].values<float>()[static_cast<std::size_t>(index)];
      const float b = right[output].values<float>()[static_cast<std::size_t>(index)];
      const bool both_nan = std::isnan(a) && std::isnan(b);
      if (!both_nan && !(std::fabs(a - b) <= 1e-6F + 1e-5F * std::fabs(b))) return false;
    }
  }
  return true;
}

TEST_F(BackendSuite, ConvertedModelsRunAsTheOriginals) {
  int agreed = 0;
  int unchanged = 0;
  std::vector<std::string> refused;
  for (const fs::path& folder : folders()) {
    Model model;
    try {
      model = load_model(folder / "model.onnx");
    } catch (const InvalidInput&) {
      continue;
    }
    for (const std::int64_t version : {10, 11, 13, 18, 21}) {
      if (version <= model.opset() || model.opset() == 0) continue;
      Model converted;
      try {
        converted = convert_opset(model, version);
      } catch (const Unsupported&) {
        refused.push_back(fmt::format("{} to {}", folder.filename().string(), version));
        continue;
      }
      if (converted.graph == model.graph) {
        ++unchanged;
        continue;
      }
      const std::optional<SuiteCase> current = load_case(folder);
      const auto expected = current ? run(current->original, current->inputs) : std::nullopt;
      if (!expected) continue;
      const auto outputs = run(serialize_model(converted), current->inputs);
      EXPECT_TRUE(outputs && is_close(*outputs, *expected)) << folder << " to opset " << version;
      ++agreed;
    }
  }
  fmt::print("conversions: {} changed the graph and agree, {} left it as it was, {} were refused\n",
             agreed, unchanged, refused.size());
  EXPECT_GT(agreed, 20);
  for (const std::string& text : refused) EXPECT_TRUE(text.starts_with("test_scan_sum")) << text;
}

}  // namespace
}  // namespace quantsearch
