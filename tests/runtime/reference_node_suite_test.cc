// Runs the reference session on each node test of the ONNX backend suite whose operators it
// implements.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;

std::vector<Tensor> load_set(const fs::path& folder, const std::string& prefix) {
  std::vector<Tensor> tensors;
  for (int index = 0; fs::exists(folder / (prefix + std::to_string(index) + ".pb")); ++index) {
    tensors.push_back(load_tensor(folder / (prefix + std::to_string(index) + ".pb")).tensor);
  }
  return tensors;
}

/// The tolerance of ONNX's own test runner.
bool is_close(const Tensor& actual, const Tensor& expected) {
  if (actual.type() != expected.type() || actual.shape() != expected.shape()) return false;
  if (!is_floating(expected.type())) return actual == expected;
  const Tensor a = convert(actual, DataType::float64);
  const Tensor b = convert(expected, DataType::float64);
  const double relative =
      expected.type() == DataType::float32 || expected.type() == DataType::float64 ? 1e-3 : 1e-2;
  for (std::size_t index = 0; index < static_cast<std::size_t>(a.size()); ++index) {
    const double left = a.values<double>()[index];
    const double right = b.values<double>()[index];
    if (std::isnan(left) && std::isnan(right)) continue;
    if (left == right) continue;
    if (!(std::fabs(left - right) <= 1e-7 + relative * std::fabs(right))) return false;
  }
  return true;
}

/// Empty when the outputs agree, else what went wrong. Throws Unsupported for an operator or
/// attribute that the session does not implement.
std::string run_case(const fs::path& folder, const Model& model) {
  const auto session = open_reference_session(model);
  const std::vector<Tensor> inputs = load_set(folder / "test_data_set_0", "input_");
  const std::vector<Tensor> expected = load_set(folder / "test_data_set_0", "output_");
  Batch batch;
  for (std::size_t index = 0; index < inputs.size(); ++index)
    batch[model.graph.inputs[index].name] = inputs[index];
  const Batch outputs = session->run(batch);
  for (std::size_t index = 0; index < expected.size(); ++index) {
    if (!is_close(outputs.at(model.graph.outputs[index].name), expected[index])) {
      return "output " + model.graph.outputs[index].name + " differs";
    }
  }
  return "";
}

TEST(ReferenceNodeSuite, AgreesWithEveryNodeTestItCanRun) {
  int passed = 0;
  int unsupported = 0;
  int not_loaded = 0;
  std::set<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(QUANTSEARCH_DEPS_DIR "/onnx/testdata/node"))
    folders.insert(entry.path());
  for (const fs::path& folder : folders) {
    Model model;
    try {
      model = load_model(folder / "model.onnx");
    } catch (const InvalidInput&) {
      ++not_loaded;  // opsets before 7; loading has its own tests
      continue;
    }
    try {
      const std::string failure = run_case(folder, model);
      EXPECT_EQ(failure, "") << folder.filename();
      ++passed;
    } catch (const Unsupported&) {
      ++unsupported;
    } catch (const std::exception& error) {
      ADD_FAILURE() << folder.filename() << ": " << error.what();
    }
  }
  RecordProperty("passed", passed);
  RecordProperty("unsupported", unsupported);
  EXPECT_LE(not_loaded, 10);
  EXPECT_GE(passed, 350) << "operators were lost; " << unsupported << " were unsupported";
}

}  // namespace
}  // namespace quantsearch
