#pragma once

// Adds QuantizeLinear and DequantizeLinear nodes with their parameters to a graph that is being
// written.

#include <set>
#include <string>
#include <string_view>

#include "quantsearch/quantize.h"

namespace quantsearch {

class QdqWriter {
 public:
  /// `names` knows every name of the float model.
  QdqWriter(Graph& graph, NameAllocator& names, std::int64_t opset)
      : graph_(graph), names_(names), opset_(opset) {}

  struct PairNames {
    std::string label;   // what nodes and parameters are named after
    std::string input;   // float tensor
    std::string output;  // dequantized tensor; "" to have one made up
  };
  /// Appends both nodes; returns the dequantized tensor.
  std::string add_pair(const PairNames& names, const TensorParams& params, bool contributed);
  /// Appends a stored integer tensor and its DequantizeLinear; returns the dequantized tensor.
  std::string add_constant(const std::string& label, const QuantizedTensor& tensor);
  void add_initializer(const std::string& name, Tensor tensor);

  /// True when a node of domain com.microsoft was written.
  [[nodiscard]] bool used_contributed_domain() const { return used_contributed_domain_; }

 private:
  struct ParameterNames {
    std::string scale;
    std::string zero_point;
  };
  ParameterNames add_parameters(const std::string& label, const TensorParams& params);
  void add_node(std::string_view op_type, const std::string& name, const std::string& input,
                const std::string& output, const ParameterNames& parameters,
                const TensorParams& params, bool contributed);

  Graph& graph_;
  NameAllocator& names_;
  std::int64_t opset_;
  bool used_contributed_domain_ = false;
};

}  // namespace quantsearch
