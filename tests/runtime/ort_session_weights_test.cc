// Weights that are passed separately from the model: the graphs and results are the same, and there
// is no copy where none is needed.

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

std::int64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t value = 0;
    if (word == "VmRSS:" && status >> value) return value;
  }
  return 0;
}

/// AddressSanitizer keeps freed memory for a while, so the resident size does not show what is in
/// use.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kResidentIsUsed = false;
#else
constexpr bool kResidentIsUsed = true;
#endif

/// One Conv of 64 MiB.
Model large_convolution() {
  ModelBuilder builder;
  const std::string weight = builder.random_weight("w", {2048, 2048, 2, 2}, 0.01F, 5);
  builder.output(builder.node("Conv", {builder.input("x", {1, 2048, 2, 2}), weight}),
                 {1, 2048, 1, 1});
  return builder.build();
}

TEST(OrtSessionWeights, AreSharedByUnoptimizedSessions) {
  const Model model = large_convolution();
  const auto first = open_session(model, {.optimize = false});
  const std::int64_t before = resident_kib();
  const auto second = open_session(model, {.optimize = false});
  if (kResidentIsUsed) {
    EXPECT_LT(resident_kib() - before, 16 * 1024);
  }
  const Batch inputs = testing::random_inputs(model, 1);
  EXPECT_EQ(first->run(inputs), second->run(inputs));
}

TEST(OrtSessionWeights, LiveAsLongAsTheSession) {
  std::unique_ptr<Session> session;
  Batch inputs;
  Batch expected;
  {
    const Model model = large_convolution();
    inputs = testing::random_inputs(model, 1);
    session = open_session(model, {.optimize = false});
    expected = session->run(inputs);
  }
  EXPECT_EQ(session->run(inputs), expected);
}

// ONNX Runtime transposes this initializer in place and keeps its name.
TEST(OrtSessionWeights, SurviveAnOptimizationInPlace) {
  ModelBuilder builder;
  const std::string x = builder.node("Relu", {builder.input("x", {1, 32, 8, 16})});
  const Attribute forth = {.name = "perm", .value = std::vector<std::int64_t>{0, 2, 3, 1}};
  const Attribute back = {.name = "perm", .value = std::vector<std::int64_t>{0, 3, 1, 2}};
  const std::string weight = builder.random_weight("w", {8, 16, 32}, 1, 3);
  const std::string sum = builder.node("Add", {builder.node("Transpose", {x}, {forth}), weight});
  builder.output(builder.node("Transpose", {sum}, {back}), {1, 32, 8, 16});
  const Model model = builder.build();
  ASSERT_EQ(count_operators(optimized_model(model).graph).count("Transpose"), 0U)
      << "the case no longer arises";
  const Batch inputs = testing::random_inputs(model, 1);
  EXPECT_EQ(open_session(model)->run(inputs),
            open_session(model, {.optimize = false})->run(inputs));
}

TEST(OrtSessionWeights, MayHaveAnyName) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {64});
  std::string value = x;
  for (const char* name : {"../../up", "/absolute/path", "a b", "ä", "C:\\w"}) {
    value = builder.node("Add", {value, builder.random_weight(name, {512, 64}, 1, 3)});
  }
  builder.output(value, {512, 64});
  const Model model = builder.build();
  EXPECT_EQ(open_session(model)->run(testing::random_inputs(model, 1)).size(), 1U);
}

TEST(OrtSessionWeights, MayBeOverridableInputs) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {512});
  builder.input("w", {512});
  builder.output(builder.node("Add", {x, builder.random_weight("w", {512}, 1, 3)}, {}, "sum"),
                 {512});
  const Model model = builder.build();
  const Tensor zeros(DataType::float32, {512});
  for (const bool optimize : {true, false}) {
    const auto session = open_session(model, {.optimize = optimize});
    EXPECT_EQ(session->run({{"x", zeros}}).at("sum_out"), *model.graph.find_initializer("w"));
    const Tensor other = testing::random_tensor({512}, 9);
    EXPECT_EQ(session->run({{"x", zeros}, {"w", other}}).at("sum_out"), other);
  }
}

TEST(OrtSessionWeights, MayBeFloat16) {
  ModelBuilder builder;
  const Tensor halves = convert(testing::random_tensor({1024}, 4), DataType::float16);
  const std::string sum = builder.node(
      "Add", {builder.input("x", {1024}, DataType::float16), builder.constant("w", halves)}, {},
      "sum");
  builder.output(sum, {1024}, DataType::float16);
  for (const bool optimize : {true, false}) {
    const auto session = open_session(builder.build(), {.optimize = optimize});
    EXPECT_EQ(session->run({{"x", Tensor(DataType::float16, {1024})}}).at("sum_out"), halves);
  }
}

}  // namespace
}  // namespace quantsearch
