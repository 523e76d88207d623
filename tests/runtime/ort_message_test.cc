#include "runtime/ort_message.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(OneLine, DropsFileLineAndSignature) {
  EXPECT_EQ(
      one_line("Non-zero status code returned while running Add node. Name:'a' Status Message: "
               "/onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:563 void "
               "onnxruntime::BroadcastIterator::Init(ptrdiff_t, ptrdiff_t) axis == 1 || axis == "
               "largest was "
               "false. Attempting to broadcast an axis by a dimension other than 1. 16 by 32\n"),
      "Non-zero status code returned while running Add node. Name:'a' Status Message: axis == 1 || "
      "axis == "
      "largest was false. Attempting to broadcast an axis by a dimension other than 1. 16 by 32");
}

TEST(OneLine, DropsABareFunctionName) {
  EXPECT_EQ(
      one_line(
          "External data path validation failed for initializer: w. Error: it escapes. "
          "tensorprotoutils.cc:453 ValidateExternalDataPathFromDir It does not exist: \"/tmp/w\""),
      "External data path validation failed for initializer: w. Error: it escapes. It does not "
      "exist: "
      "\"/tmp/w\"");
}

TEST(OneLine, DropsTemplateArgumentsAndQualifiers) {
  EXPECT_EQ(
      one_line(
          "/src/a/b.cc:12 virtual onnxruntime::common::Status onnxruntime::Op<T, std::vector<int> "
          ">::Compute(onnxruntime::OpKernelContext*) const [with T = float] input is empty"),
      "input is empty");
}

TEST(OneLine, KeepsASentenceAfterTheSourceLocation) {
  EXPECT_EQ(one_line("/src/a/graph.cc:7 Node input 'x' is missing"), "Node input 'x' is missing");
}

TEST(OneLine, JoinsLinesAndKeepsTextThatIsNoSourceLocation) {
  EXPECT_EQ(one_line("  one\n\n two\tthree "), "one two three");
  EXPECT_EQ(one_line("see model.onnx: version 9 (at most 8)"),
            "see model.onnx: version 9 (at most 8)");
  EXPECT_EQ(one_line(""), "");
  EXPECT_EQ(one_line("a.cc:x"), "a.cc:x");
  EXPECT_EQ(one_line("a.cc:12"), "");
}

}  // namespace
}  // namespace quantsearch
