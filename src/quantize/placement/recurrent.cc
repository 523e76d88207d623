#include "quantize/placement/recurrent.h"

#include <fmt/core.h>

namespace quantsearch {

namespace {

bool is_float_matrix(const GraphIndex& index, std::string_view name) {
  const Tensor* weight = index.initializer(name);
  return weight != nullptr && weight->type() == DataType::float32 && weight->shape().size() == 3;
}

}  // namespace

bool is_recurrent(const Node& node) { return node.is("LSTM") || node.is("GRU") || node.is("RNN"); }

std::string why_not_dynamic(const Node& node, const GraphIndex& index,
                            const QuantizeOptions& options) {
  if (!node.is("LSTM")) {
    return fmt::format("ONNX Runtime has no {} with quantized weights", node.op_type);
  }
  if (options.recurrent_weights == RecurrentWeights::keep_float)
    return "its weights stay float unless RecurrentWeights is 'dynamic'";
  if (node.int_attribute("layout", 0) != 0)
    return "its batch comes first (layout 1), which DynamicQuantizeLSTM does not have";
  if (!is_float_matrix(index, node.input(1)) || !is_float_matrix(index, node.input(2)))
    return "its weights are not constant";
  return "";
}

}  // namespace quantsearch
