#pragma once

// Adds QuantizeLinear and DequantizeLinear nodes with their parameters to a graph that is being
// written.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch {

class QdqWriter {
 public:
  /// `names` contains every name of the float model. The graph and `names` must outlive the object.
  QdqWriter(Graph& graph, NameAllocator& names, std::int64_t opset)
      : graph_(graph), names_(names), opset_(opset) {}

  struct PairNames {
    std::string label;   // prefix of the names of nodes and parameters
    std::string input;   // float tensor
    std::string output;  // dequantized tensor; "": a new name is chosen
  };
  /// Appends both nodes, in domain com.microsoft when `contributed`; returns the dequantized
  /// tensor, which is the input divided by `divisor`: the scale of QuantizeLinear is that of
  /// `params` times `divisor`.
  std::string add_pair(const PairNames& names, const TensorParams& params, bool contributed,
                       float divisor = 1);
  /// Adds only the initializers of a stored integer tensor.
  StoredIntegers add_integers(const std::string& label, const QuantizedTensor& tensor);
  /// Appends a stored integer tensor and its DequantizeLinear; returns the dequantized tensor.
  std::string add_constant(const std::string& label, const QuantizedTensor& tensor);
  /// The same for integers that have been added already.
  std::string add_dequantized(const std::string& label, const QuantizedTensor& tensor,
                              const StoredIntegers& stored);
  /// Appends the DequantizeLinear of `tensor.input`, which holds integers of `stored`. A negative
  /// axis counts from the last.
  void add_dequantize(const PairNames& tensor, const StoredIntegers& stored,
                      const TensorParams& params, std::optional<std::int64_t> axis);
  /// Appends a node of ai.onnx with one output, whose name is made of `label` and its type. Returns
  /// the output, which is `output` unless that is "".
  std::string add_plain(const std::string& label, std::string op_type,
                        std::vector<std::string> inputs, const std::string& output);
  [[nodiscard]] Node& last_node() { return graph_.nodes.back(); }
  void add_initializer(const std::string& name, Tensor tensor);
  void add_node(Node node) { graph_.nodes.push_back(std::move(node)); }
  [[nodiscard]] std::string unique(const std::string& wanted) { return names_.unique(wanted); }

  /// True when a node of domain com.microsoft was written.
  [[nodiscard]] bool used_contributed_domain() const { return used_contributed_domain_; }

 private:
  struct ParameterNames {
    std::string scale;
    std::string zero_point;
  };
  ParameterNames add_parameters(const std::string& label, const TensorParams& params);
  /// Appends a node from `tensor.input` to `tensor.output`.
  void add_node(std::string_view op_type, const PairNames& tensor, const ParameterNames& parameters,
                const TensorParams& params, bool contributed);

  Graph& graph_;
  NameAllocator& names_;
  std::int64_t opset_;
  bool used_contributed_domain_ = false;
};

}  // namespace quantsearch
