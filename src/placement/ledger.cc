#include "placement/ledger.h"

#include <optional>
#include <string_view>

#include "placement/traceable_names.h"

namespace quantsearch {

namespace {

constexpr std::string_view kInputOfPair = "_QuantizeLinear_Input";

bool is_conversion(std::string_view op_type) {
  return op_type == "QuantizeLinear" || op_type == "DequantizeLinear";
}

/// Where a node of the written graph comes from: a unit, or a tensor whose pair it belongs to.
struct Origin {
  std::optional<int> unit;
  std::string tensor;  // "": it is not part of the pair of an activation
};

/// The origins of the nodes of a written graph.
class Origins {
 public:
  Origins(const Graph& float_graph, const Units& units, const Graph& written)
      : written_(written), index_(written), origins_(written.nodes.size()) {
    for (std::size_t node = 0; node < float_graph.nodes.size(); ++node) {
      for (const std::string& output : float_graph.nodes[node].outputs)
        unit_of_tensor_[output] = units.of_node[node];
    }
    for (const ValueInfo& input : float_graph.inputs) inputs_.insert({input.name, true});
    find_nodes();
  }

  [[nodiscard]] const Origin& of(int node) const {
    return origins_[static_cast<std::size_t>(node)];
  }
  /// The unit that writes a tensor of the float model; nullopt for inputs.
  [[nodiscard]] std::optional<int> writer(const std::string& tensor) const {
    const auto found = unit_of_tensor_.find(tensor);
    return found == unit_of_tensor_.end() ? std::nullopt : std::optional(found->second);
  }
  /// The unit of the first node that reads what this node writes.
  [[nodiscard]] std::optional<int> reader(int node) const {
    for (const std::string& output : written_.nodes[static_cast<std::size_t>(node)].outputs) {
      for (const int next : index_.consumers(output)) {
        if (of(next).unit) return of(next).unit;
      }
    }
    return std::nullopt;
  }

 private:
  /// The tensor of the float model that has this name or whose pair begins with it; "" when there
  /// is none.
  [[nodiscard]] std::string float_tensor(std::string name) const {
    if (name.ends_with(kInputOfPair)) name.resize(name.size() - kInputOfPair.size());
    return unit_of_tensor_.contains(name) || inputs_.contains(name) ? name : "";
  }

  /// Walks backwards, because what belongs to a node (its stored weights, the parts of its integer
  /// form) is written before it.
  void find_nodes() {
    std::optional<int> next_unit;
    for (std::size_t node = written_.nodes.size(); node-- > 0;) {
      const Node& at = written_.nodes[node];
      Origin& origin = origins_[node];
      if (is_conversion(at.op_type)) {
        origin.tensor = converted_tensor(at);
        if (origin.tensor.empty()) origin.unit = next_unit;
        continue;
      }
      const std::string written = at.outputs.empty() ? "" : float_tensor(at.outputs[0]);
      origin.unit = written.empty() ? next_unit : writer(written);
      next_unit = origin.unit;
    }
  }

  [[nodiscard]] std::string converted_tensor(const Node& conversion) const {
    const std::string& input = conversion.inputs[0];
    if (conversion.op_type == "QuantizeLinear") return float_tensor(input);
    const auto quantizer = index_.producer(input);
    return quantizer ? float_tensor(written_.nodes[static_cast<std::size_t>(*quantizer)].inputs[0])
                     : "";
  }

  const Graph& written_;
  GraphIndex index_;
  std::map<std::string, int, std::less<>> unit_of_tensor_;
  std::map<std::string, bool, std::less<>> inputs_;
  std::vector<Origin> origins_;
};

}  // namespace

Ledger float_ledger(const Units& units, const std::vector<KernelTime>& kernels) {
  Ledger ledger{.units = std::vector<double>(units.units.size()), .tensors = {}};
  std::optional<int> unit;
  for (const KernelTime& kernel : kernels) {
    const std::vector<int> nodes = traced_nodes(kernel.name);
    if (!nodes.empty()) unit = units.of_node[static_cast<std::size_t>(nodes.front())];
    if (unit) ledger.units[static_cast<std::size_t>(*unit)] += kernel.seconds;
  }
  return ledger;
}

Ledger quantized_ledger(const Graph& float_graph, const Units& units, const Graph& written,
                        const std::vector<KernelTime>& kernels) {
  const Origins origins(float_graph, units, written);
  Ledger ledger{.units = std::vector<double>(units.units.size()), .tensors = {}};
  std::optional<int> unit;  // to which kernels of the runtime's own belong
  for (const KernelTime& kernel : kernels) {
    const std::vector<int> nodes = traced_nodes(kernel.name);
    if (!nodes.empty()) {
      const Origin& origin = origins.of(nodes.front());
      const bool dequantizes = kernel.op_type == "DequantizeLinear";
      unit = !origin.tensor.empty() && dequantizes ? origins.reader(nodes.front())
             : !origin.tensor.empty()              ? origins.writer(origin.tensor)
                                                   : origin.unit;
      if (!origin.tensor.empty() && is_conversion(kernel.op_type)) {
        ConversionTime& time = ledger.tensors[origin.tensor];
        (dequantizes ? time.dequantize : time.quantize) += kernel.seconds;
        continue;
      }
    }
    if (unit) ledger.units[static_cast<std::size_t>(*unit)] += kernel.seconds;
  }
  return ledger;
}

}  // namespace quantsearch
