// simplify() keeps the outputs of every model of the ONNX backend suite that ONNX Runtime runs.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/runtime.h"
#include "quantsearch/transform.h"
#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

namespace fs = std::filesystem;

struct Suite {
  int run = 0;
  int kept = 0;
  int unchecked = 0;  // libonnx's checker refuses the model as it is
  int refused = 0;    // the opset cannot be raised, or the model is not for this runtime
  std::vector<std::string> broken;
};

Batch inputs_of(const fs::path& folder, const Model& model) {
  Batch inputs;
  for (std::size_t index = 0; index < model.graph.inputs.size(); ++index) {
    const NamedTensor tensor =
        load_tensor(folder / "test_data_set_0" / ("input_" + std::to_string(index) + ".pb"));
    inputs.insert_or_assign(model.graph.inputs[index].name, tensor.tensor);
  }
  return inputs;
}

// The outputs of the runtime; nullopt for models that it does not run (training, sequences, other
// domains).
std::optional<Batch> outputs_of(const Model& model, const Batch& inputs) {
  try {
    return open_session(model, {.threads = 1, .optimize = false, .taps = {}})->run(inputs);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_random(const Model& model) {
  return std::ranges::any_of(model.graph.nodes, [](const Node& node) {
    return node.op_type == "Bernoulli" || node.op_type.starts_with("Random") ||
           node.op_type == "Multinomial" || (node.op_type == "Dropout" && node.inputs.size() > 2);
  });
}

// float16 keeps ten bits, and where a runtime rounds in between depends on how it fuses operators.
double tolerance_for(const Batch& inputs) {
  const bool has_half = std::ranges::any_of(
      inputs, [](const auto& input) { return input.second.type() == DataType::float16; });
  return has_half ? 2e-3 : 1e-4;
}

bool passes_checker(const Model& model) {
  try {
    check_model(model);
  } catch (const InvalidInput&) {
    return false;
  }
  return true;
}

void check(const fs::path& folder, Suite& suite) {
  Model model;
  Batch inputs;
  try {
    model = load_model(folder / "model.onnx");
    if (is_random(model)) return;
    inputs = inputs_of(folder, model);
  } catch (const Error&) {
    return;  // sequences, optionals
  }
  const std::optional<Batch> wanted = outputs_of(model, inputs);
  if (!wanted) return;
  if (!passes_checker(model)) {
    ++suite.unchecked;
    return;
  }
  ++suite.run;
  try {
    const Model simplified = simplify(model).model;
    const std::optional<Batch> outputs = outputs_of(simplified, inputs);
    const double difference = outputs ? largest_difference(*wanted, *outputs) : 1e30;
    if (difference <= tolerance_for(inputs))
      ++suite.kept;
    else
      suite.broken.push_back(folder.filename().string() + " " + std::to_string(difference));
  } catch (const Unsupported&) {
    ++suite.refused;
  } catch (const Error& error) {
    suite.broken.push_back(folder.filename().string() + ": " + error.what());
  }
}

TEST(BackendSuite, EveryModelKeepsItsOutputs) {
  Suite suite;
  std::vector<fs::path> folders;
  for (const std::string part : {"node", "simple", "pytorch-converted", "pytorch-operator"}) {
    for (const auto& entry :
         fs::directory_iterator(fs::path(QUANTSEARCH_DEPS_DIR) / "onnx/testdata" / part)) {
      folders.push_back(entry.path());
    }
  }
  std::ranges::sort(folders);
  for (const fs::path& folder : folders) check(folder, suite);
  std::printf(
      "backend suite: %d of %d models keep their outputs, %d cannot be raised to opset 13, %d are "
      "refused by the checker as they are\n",
      suite.kept, suite.run, suite.refused, suite.unchecked);
  EXPECT_GT(suite.run, 500);
  EXPECT_EQ(suite.broken, std::vector<std::string>{});
}

}  // namespace
}  // namespace quantsearch::testing
