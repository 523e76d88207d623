#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using testing::random_inputs;

/// y = relu(x) + w; both inner tensors have names.
Model relu_then_add() {
  ModelBuilder builder;
  const std::string relu = builder.node("Relu", {builder.input("x", {-1, 2})}, {}, "relu");
  builder.output(builder.node("Add", {relu, builder.weight("w", {2}, {10, 20})}, {}, "sum"),
                 {-1, 2});
  return builder.build();
}

const Batch kInputs = {{"x", Tensor::of<float>({2, 2}, {-1, 2, 3, -4})}};

TEST(OrtSession, RunsAModel) {
  const Batch outputs = open_session(relu_then_add())->run(kInputs);
  EXPECT_EQ(outputs, (Batch{{"sum_out", Tensor::of<float>({2, 2}, {10, 22, 13, 20})}}));
}

TEST(OrtSession, ReturnsTapsWithTheOutputs) {
  const auto session = open_session(relu_then_add(), {.taps = {"relu_out", "w", "x", "sum_out"}});
  const Batch outputs = session->run(kInputs);
  const Batch expected = {{"relu_out", Tensor::of<float>({2, 2}, {0, 2, 3, 0})},
                          {"sum_out", Tensor::of<float>({2, 2}, {10, 22, 13, 20})},
                          {"w", Tensor::of<float>({2}, {10, 20})},
                          {"x", kInputs.at("x")}};
  EXPECT_EQ(outputs, expected);
}

TEST(OrtSession, TapsATensorOfUnknownTypeAndShape) {
  Model model = relu_then_add();
  model.graph.values.clear();
  EXPECT_TRUE(open_session(model, {.taps = {"relu_out"}})->run(kInputs).contains("relu_out"));
}

TEST(OrtSession, OutputsOutliveTheSession) {
  Batch outputs;
  {
    const auto session = open_session(relu_then_add());
    outputs = session->run(kInputs);
  }
  EXPECT_EQ(outputs.at("sum_out").values<float>()[1], 22.0F);
}

/// y = relu(x); the other outputs are an input, an initializer and a tensor that follows from it.
Model relu_with_outputs_that_no_node_makes() {
  ModelBuilder builder;
  builder.output(builder.input("x", {-1, 2}), {-1, 2});
  builder.output(builder.weight("w", {300}, std::vector<float>(300, 5)), {300});
  builder.output(builder.node("Neg", {"w"}, {}, "negated"), {300});
  builder.output(builder.node("Relu", {"x"}, {}, "y"), {-1, 2});
  return builder.build();
}

TEST(OrtSession, OutputsThatNoNodeMakesOutliveTheSessionAndTheInputs) {
  for (const bool optimize : {true, false}) {
    Batch outputs;
    {
      const auto session = open_session(relu_with_outputs_that_no_node_makes(),
                                        {.optimize = optimize, .taps = {"w", "x"}});
      for (int run = 0; run < 3; ++run)
        outputs = session->run({{"x", Tensor::of<float>({2, 2}, {-1, 2, 3, -4})}});
    }
    // Freed memory is soon reused.
    const Tensor other = testing::random_tensor({64, 300}, 1);
    EXPECT_EQ(outputs.at("x"), Tensor::of<float>({2, 2}, {-1, 2, 3, -4}));
    EXPECT_EQ(outputs.at("y_out"), Tensor::of<float>({2, 2}, {0, 2, 3, 0}));
    EXPECT_EQ(outputs.at("w"), Tensor::of<float>({300}, std::vector<float>(300, 5)));
    EXPECT_EQ(outputs.at("negated_out"), Tensor::of<float>({300}, std::vector<float>(300, -5)));
  }
}

TEST(OrtSession, ReturnsAnInputThatIsTheOnlyOutput) {
  ModelBuilder builder;
  builder.output(builder.input("x", {2}), {2});
  const Batch inputs = {{"x", Tensor::of<float>({2}, {1, 2})}};
  EXPECT_EQ(open_session(builder.build())->run(inputs), inputs);
}

TEST(OrtSession, LeavesOutOutputsThatAreNotTensors) {
  Model model = relu_then_add();
  Node split{.op_type = "SplitToSequence",
             .domain = "",
             .name = "split",
             .inputs = {"sum_out"},
             .outputs = {"parts"},
             .attributes = {},
             .extra = ""};
  model.graph.nodes.push_back(split);
  model.graph.outputs.push_back(
      {.name = "parts", .type = DataType::undefined, .dimensions = std::nullopt, .extra = ""});
  const Batch outputs = open_session(model, {.taps = {"relu_out"}})->run(kInputs);
  EXPECT_TRUE(outputs.contains("sum_out"));
  EXPECT_TRUE(outputs.contains("relu_out"));
  EXPECT_FALSE(outputs.contains("parts"));
}

TEST(OrtSession, GivesTheSameOutputsWithAndWithoutOptimization) {
  const Model model = load_model(QUANTSEARCH_SOURCE_DIR "/tests/data/resnet8.onnx");
  const Batch inputs = random_inputs(model, 7, 3);
  const Tensor optimized = open_session(model)->run(inputs).begin()->second;
  const Tensor plain = open_session(model, {.optimize = false})->run(inputs).begin()->second;
  ASSERT_EQ(optimized.shape(), (Shape{3, 10}));
  for (std::size_t index = 0; index < 30; ++index) {
    EXPECT_NEAR(optimized.values<float>()[index], plain.values<float>()[index], 1e-4);
  }
}

TEST(OrtSession, ExactProductsDoNotSaturateOnAnyProcessor) {
  // 255 * 127 * 2 = 64770 overflows the 16 bits in which x86 processors without VNNI add the
  // products.
  ModelBuilder builder;
  builder.constant("one", Tensor::scalar<float>(1));
  builder.constant("wide", Tensor::scalar<float>(1024));
  builder.constant("zero", Tensor::scalar<std::uint8_t>(0));
  builder.constant("w", Tensor::of<std::int8_t>({1, 4, 1, 1}, {127, 127, 127, 127}));
  builder.constant("w_zero", Tensor::scalar<std::int8_t>(0));
  const auto pair = [&](const std::string& tensor, const std::string& scale) {
    return builder.node("DequantizeLinear",
                        {builder.node("QuantizeLinear", {tensor, scale, "zero"}), scale, "zero"});
  };
  const std::string weight = builder.node("DequantizeLinear", {"w", "one", "w_zero"});
  builder.output(
      pair(builder.node("Conv", {pair(builder.input("x", {1, 4, 1, 1}), "one"), weight}), "wide"),
      {1, 1, 1, 1});
  const Batch inputs = {{"x", Tensor::of<float>({1, 4, 1, 1}, {255, 255, 255, 255})}};
  const Batch outputs = open_session(builder.build(), {.exact_products = true})->run(inputs);
  // 4 * 255 * 127 = 129540, which is rounded to the nearest multiple of 1024.
  EXPECT_EQ(outputs.begin()->second.values<float>()[0], 127 * 1024);
}

TEST(OrtSession, RunsInSeveralThreadsAtOnce) {
  const Model model = load_model(QUANTSEARCH_SOURCE_DIR "/tests/data/resnet8.onnx");
  const auto session = open_session(model);
  const Batch inputs = random_inputs(model, 3, 2);
  const Batch expected = session->run(inputs);
  std::atomic<int> equal = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) equal += session->run(inputs) == expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, 40);
}

TEST(OrtSession, TakesSeveralThreadsInsideOneRun) {
  const auto session = open_session(relu_then_add(), {.threads = 2});
  EXPECT_EQ(session->run(kInputs).at("sum_out").values<float>()[0], 10.0F);
  EXPECT_THROW((void)open_session(relu_then_add(), {.threads = 0}), InvalidInput);
}

/// x -> Identity -> output, for one element type.
Tensor round_trip(const Tensor& tensor) {
  ModelBuilder builder(21);
  const std::string x = builder.input("x", tensor.shape(), tensor.type());
  builder.output(builder.node("Identity", {x}, {}, "same"), tensor.shape(), tensor.type());
  return open_session(builder.build(), {.optimize = false})->run({{"x", tensor}}).at("same_out");
}

TEST(OrtSession, PassesEveryElementTypeInAndOut) {
  const std::vector<Tensor> tensors = {
      Tensor::of<float>({2}, {0.5F, -1}),
      Tensor::of<double>({2}, {0.5, -1}),
      Tensor::of<Float16>({2}, {to_float16(0.5F), to_float16(-1)}),
      Tensor::of<BFloat16>({2}, {to_bfloat16(0.5F), to_bfloat16(-1)}),
      Tensor::of<std::int8_t>({2}, {1, -128}),
      Tensor::of<std::uint8_t>({2}, {1, 255}),
      Tensor::of<std::int16_t>({2}, {1, -32768}),
      Tensor::of<std::uint16_t>({2}, {1, 65535}),
      Tensor::of<std::int32_t>({2}, {1, -7}),
      Tensor::of<std::uint32_t>({2}, {1, 4000000000U}),
      Tensor::of<std::int64_t>({2}, {1, -7}),
      Tensor::of<std::uint64_t>({2}, {1, 7}),
      Tensor::from_bytes(DataType::boolean, {2},
                         std::vector<std::byte>{std::byte{1}, std::byte{0}}),
      Tensor::of_strings({2}, {"", "two words"}),
  };
  for (const Tensor& tensor : tensors)
    EXPECT_EQ(round_trip(tensor), tensor) << to_string(tensor.type());
}

TEST(OrtSession, PassesScalarsAndEmptyTensors) {
  EXPECT_EQ(round_trip(Tensor::scalar(3.0F)), Tensor::scalar(3.0F));
  EXPECT_EQ(round_trip(Tensor(DataType::float32, {0, 4})), Tensor(DataType::float32, {0, 4}));
}

TEST(OrtSession, ChecksInputsBeforeItRuns) {
  EXPECT_THROW((void)open_session(relu_then_add())->run({{"y", kInputs.at("x")}}), InvalidInput);
}

TEST(OrtSession, ShowsWhyAModelDoesNotLoad) {
  ModelBuilder builder;
  builder.add({.op_type = "Nonsense",
               .domain = "made.up",
               .name = "n",
               .inputs = {builder.input("x", {1})},
               .outputs = {"y"},
               .attributes = {},
               .extra = ""});
  builder.import_domain("made.up", 1);
  builder.output("y", {1});
  try {
    (void)open_session(builder.build_unchecked());
    FAIL() << "loaded";
  } catch (const InvalidInput& error) {
    EXPECT_EQ(std::string(error.what()),
              "open session: " + runtime_version() +
                  " cannot load the model: Fatal error: made.up:Nonsense(-1) is not a registered "
                  "function/op");
  }
}

TEST(OrtSession, ReportsAFailedRunInOneSentence) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {-1});
  const std::string y = builder.constant("shape", Tensor::of<std::int64_t>({2}, {2, -1}));
  builder.output(builder.node("Reshape", {x, y}, {}, "reshape"));
  const auto session = open_session(builder.build_unchecked());
  EXPECT_EQ(session->run({{"x", Tensor(DataType::float32, {4})}}).at("reshape_out").shape(),
            (Shape{2, 2}));
  try {
    (void)session->run({{"x", Tensor(DataType::float32, {3})}});
    FAIL() << "ran";
  } catch (const IoError& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find("run: " + runtime_version() + " failed: "), 0U) << message;
    EXPECT_NE(message.find("reshape"), std::string::npos) << message;
    EXPECT_EQ(message.find(".h:"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

/// A chain of matrix products that runs long enough to be stopped in the middle.
Model slow_model() {
  ModelBuilder builder;
  std::string value = builder.input("x", {256, 256});
  const std::string weight = builder.random_weight("w", {256, 256}, 0.1F, 1);
  for (int step = 0; step < 2000; ++step) value = builder.node("MatMul", {value, weight});
  builder.output(value, {256, 256});
  return builder.build_unchecked();
}

TEST(OrtSession, StopsInTheMiddleOfARun) {
  const auto session = open_session(slow_model());
  const CancellationToken token;
  std::thread canceller([&token] { token.cancel(); });
  EXPECT_THROW((void)session->run({{"x", Tensor(DataType::float32, {256, 256})}}, token),
               Cancelled);
  canceller.join();
}

TEST(OrtSession, StopsAtADeadline) {
  const auto session = open_session(slow_model());
  const CancellationToken token =
      CancellationToken().with_deadline(Clock::now() + std::chrono::milliseconds(20));
  EXPECT_THROW((void)session->run({{"x", Tensor(DataType::float32, {256, 256})}}, token),
               Cancelled);
}

TEST(OrtSession, DoesNotStartWhenCancelled) {
  const CancellationToken token;
  token.cancel();
  EXPECT_THROW((void)open_session(relu_then_add())->run(kInputs, token), Cancelled);
}

TEST(OrtSession, RunsControlFlow) {
  const std::string folder = QUANTSEARCH_DEPS_DIR "/onnx/testdata/node/test_if/";
  const Model model = load_model(folder + "model.onnx");
  const Tensor condition = load_tensor(folder + "test_data_set_0/input_0.pb").tensor;
  const Tensor expected = load_tensor(folder + "test_data_set_0/output_0.pb").tensor;
  const Batch outputs = open_session(model)->run({{model.graph.inputs[0].name, condition}});
  EXPECT_EQ(outputs.begin()->second, expected);
}

}  // namespace
}  // namespace quantsearch
