#include <algorithm>
#include <array>
#include <set>

#include "quantsearch/internal/model/bodies.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

namespace {

bool is_integer_kernel(std::string_view op_type) {
  constexpr std::array<std::string_view, 8> kNames = {
      "ConvInteger", "MatMulInteger", "MatMulIntegerToFloat",     "NhwcMaxPool",
      "QGemm",       "QAttention",    "QEmbedLayerNormalization", "QMoE"};
  if (op_type.starts_with("QLinear")) return true;
  return std::find(kNames.begin(), kNames.end(), op_type) != kNames.end();
}

bool is_float_compute(std::string_view op_type) {
  constexpr std::array<std::string_view, 9> kNames = {
      "Conv",      "ConvTranspose", "FusedConv",   "NhwcFusedConv", "Gemm",
      "FusedGemm", "MatMul",        "FusedMatMul", "MatMulNBits"};
  return std::find(kNames.begin(), kNames.end(), op_type) != kNames.end();
}

bool moves_data(std::string_view op_type) {
  constexpr std::array<std::string_view, 14> kNames = {
      "Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "MaxPool",   "Reshape",
      "Resize", "Slice",        "Split",  "Squeeze", "Tile",   "Transpose", "Unsqueeze"};
  return std::find(kNames.begin(), kNames.end(), op_type) != kNames.end();
}

/// True for kernels that read integers and have a float output.
bool has_float_output(const Node& node) {
  // A QGemm without an output scale (input 7) writes floats.
  return node.op_type == "MatMulIntegerToFloat" || node.op_type == "DequantizeLinear" ||
         (node.op_type == "QGemm" && node.input(7).empty());
}

}  // namespace

namespace {

void count_kernels(const Graph& graph, KernelReport& report) {
  // Tensors of quantized data, followed from their producers because the optimized graph does not
  // always contain types.
  std::set<std::string, std::less<>> integers;
  for (const Node& node : graph.nodes) {
    ++report.operators[node.op_type];
    const bool reads_integers = integers.contains(node.input(0));
    const bool kernel =
        is_integer_kernel(node.op_type) || (moves_data(node.op_type) && reads_integers);
    if (kernel) ++report.integer_kernels;
    if (is_float_compute(node.op_type)) ++report.float_compute;
    if ((kernel || node.op_type == "QuantizeLinear") && !has_float_output(node)) {
      integers.insert(node.outputs.begin(), node.outputs.end());
    }
  }
  for (const BodyPlace& place : bodies_of(graph)) count_kernels(body_at(graph, place), report);
}

}  // namespace

KernelReport report_kernels(const Model& optimized) {
  KernelReport report;
  count_kernels(optimized.graph, report);
  return report;
}

}  // namespace quantsearch
