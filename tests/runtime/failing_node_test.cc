#include "quantsearch/internal/runtime/failing_node.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

TEST(FailingNode, IsTheNodeThatRanWhenARunFailed) {
  EXPECT_EQ(failing_node("run: ONNX Runtime 1.29.0 failed: Non-zero status code returned while "
                         "running Gather node. "
                         "Name:'g/7' Status Message: indices element out of data bounds"),
            (FailingNode{.name = "g/7", .op_type = "Gather"}));
}

TEST(FailingNode, IsTheNodeWithoutAKernelOrTypeWhenALoadFailed) {
  EXPECT_EQ(failing_node("open session: ONNX Runtime 1.29.0 cannot load the model: Could not find "
                         "an implementation for "
                         "ConvInteger(10) node with name 'conv'"),
            (FailingNode{.name = "conv", .op_type = "ConvInteger"}));
  EXPECT_EQ(failing_node("open session: ONNX Runtime 1.29.0 cannot load the model: Node (sum) Op "
                         "(Add) [ShapeInferenceError] "
                         "Incompatible dimensions"),
            (FailingNode{.name = "sum", .op_type = "Add"}));
}

TEST(FailingNode, IsAbsentWhenTheMessageNamesNoNode) {
  EXPECT_EQ(failing_node("run: ONNX Runtime 1.29.0 failed: Got invalid dimensions for input: x"),
            std::nullopt);
  EXPECT_EQ(failing_node("evaluate: output 'y' of the candidate holds NaN or infinity for sample "
                         "0, expected finite values"),
            std::nullopt);
}

// The runtime chooses the wording, so a release that changes it fails this test.
TEST(FailingNode, IsParsedFromTheRuntimesOwnMessage) {
  testing::ModelBuilder builder;
  builder.input("x", {3});
  builder.input("index", {1}, DataType::int64);
  builder.output(builder.node("Gather", {"x", "index"}, {}, "pick"), {1});
  const auto session = open_session(builder.build());
  try {
    (void)session->run(
        {{"x", Tensor::of<float>({3}, {1, 2, 3})}, {"index", Tensor::of<std::int64_t>({1}, {3})}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(failing_node(error.what()), (FailingNode{.name = "pick", .op_type = "Gather"}));
  }
}

}  // namespace
}  // namespace quantsearch
