#include <gtest/gtest.h>

#include "quantsearch/quantize.h"

namespace quantsearch {
namespace {

Node make(const std::string& op_type, std::vector<std::string> inputs, const std::string& output) {
  Node node;
  node.op_type = op_type;
  node.inputs = std::move(inputs);
  node.outputs = {output};
  return node;
}

TEST(ReportKernels, CountsKernelsAndDataMovementOnIntegers) {
  Model model;
  model.graph.nodes = {make("QuantizeLinear", {"x"}, "q"),
                       make("Transpose", {"q"}, "t"),
                       make("QLinearConv", {"t"}, "c"),
                       make("DequantizeLinear", {"c"}, "f"),
                       make("Reshape", {"f"}, "r"),
                       make("FusedConv", {"r"}, "g"),
                       make("QGemm", {"c", "", "", "", "", "", ""}, "h"),
                       make("Reshape", {"h"}, "y")};
  const KernelReport report = report_kernels(model);
  // Transpose, QLinearConv and QGemm, but not the Reshapes of floats.
  EXPECT_EQ(report.integer_kernels, 3);
  EXPECT_EQ(report.float_compute, 1);
  EXPECT_EQ(report.operators.at("Reshape"), 2);
}

TEST(ReportKernels, AnEmptyGraphHasNone) {
  EXPECT_EQ(report_kernels({}).integer_kernels, 0);
  EXPECT_TRUE(report_kernels({}).operators.empty());
}

}  // namespace
}  // namespace quantsearch
