#include <fmt/core.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "runtime/reference_kernels.h"
#include "runtime/signature.h"

namespace quantsearch {

namespace {

const reference::KernelTable& kernel_table() {
  static const reference::KernelTable kTable = [] {
    reference::KernelTable kernels;
    reference::add_activation_kernels(kernels);
    reference::add_convolution_kernels(kernels);
    reference::add_elementwise_kernels(kernels);
    reference::add_layout_kernels(kernels);
    reference::add_matrix_kernels(kernels);
    reference::add_normalization_kernels(kernels);
    reference::add_pooling_kernels(kernels);
    reference::add_quantization_kernels(kernels);
    reference::add_slicing_kernels(kernels);
    return kernels;
  }();
  return kTable;
}

/// The domain com.microsoft has its own QuantizeLinear and DequantizeLinear, which models below
/// opset 21 use for 16 bits.
reference::Kernel find_kernel(const Graph& graph, int index) {
  const Node& node = graph.nodes[static_cast<std::size_t>(index)];
  const bool is_quantization =
      node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear";
  const auto kernel = kernel_table().find(node.op_type);
  const bool knows_domain =
      node.domain.empty() || (node.domain == "com.microsoft" && is_quantization);
  if (kernel == kernel_table().end() || !knows_domain) {
    throw Unsupported(fmt::format(
        "reference session: {} is an operator it does not know{}", describe_node(graph, index),
        node.domain.empty() ? "" : fmt::format(" (domain '{}')", node.domain)));
  }
  return kernel->second;
}

class ReferenceSession final : public Session {
 public:
  ReferenceSession(Model model, const std::vector<std::string>& taps)
      : signature_(model, taps), graph_(std::move(model.graph)), opset_(model.opset()) {
    sort_topologically(graph_);
    for (std::size_t index = 0; index < graph_.nodes.size(); ++index) {
      kernels_.push_back(find_kernel(graph_, static_cast<int>(index)));
    }
  }

  [[nodiscard]] Batch run(const Batch& given, const CancellationToken& token) const override {
    const Batch inputs = signature_.fitted(given);
    Batch values;
    for (const Initializer& initializer : graph_.initializers)
      values[initializer.name] = *initializer.tensor;
    for (const auto& [name, tensor] : inputs) values[name] = tensor;
    for (std::size_t index = 0; index < graph_.nodes.size(); ++index) {
      token.throw_if_cancelled();
      compute(index, values);
    }
    Batch outputs;
    for (const ValueInfo& output : graph_.outputs) outputs[output.name] = values.at(output.name);
    for (const std::string& tap : signature_.inner_taps()) outputs[tap] = values.at(tap);
    signature_.add_outer_values(inputs, outputs);
    return outputs;
  }

 private:
  void compute(std::size_t index, Batch& values) const {
    const Node& node = graph_.nodes[index];
    std::vector<Tensor> inputs;
    for (const std::string& name : node.inputs)
      inputs.push_back(name.empty() ? Tensor() : values.at(name));
    std::vector<Tensor> results =
        kernels_[index]({.node = node, .inputs = inputs, .opset = opset_});
    for (std::size_t output = 0; output < node.outputs.size(); ++output) {
      if (node.outputs[output].empty()) continue;
      if (output >= results.size()) {
        throw Unsupported(fmt::format("reference session: {} does not give its output {}",
                                      describe_node(graph_, static_cast<int>(index)), output));
      }
      values[node.outputs[output]] = std::move(results[output]);
    }
  }

  Signature signature_;
  Graph graph_;
  std::int64_t opset_;
  std::vector<reference::Kernel> kernels_;  // one per node
};

}  // namespace

std::unique_ptr<Session> open_reference_session(const Model& model,
                                                const std::vector<std::string>& taps) {
  return std::make_unique<ReferenceSession>(model, taps);
}

}  // namespace quantsearch
