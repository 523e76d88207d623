#include "quantize/writing/emit.h"

#include <algorithm>
#include <set>

#include "quantize/numbers/recurrent_weights.h"
#include "quantize/numbers/weight_ranges.h"
#include "quantize/placement/hard_activations.h"
#include "quantize/writing/qdq_writer.h"
#include "quantize/writing/table_writer.h"
#include "quantsearch/internal/model/linear_layer.h"

namespace quantsearch {

namespace {

class Emitter {
 public:
  explicit Emitter(const Blueprint& blueprint)
      : blueprint_(blueprint),
        view_(blueprint.view),
        names_(view_.graph),
        model_(without_nodes(blueprint.model)),
        writer_(model_.graph, names_, blueprint.model.opset()),
        table_writer_(writer_) {}

  Emitted run() {
    find_kept_names();
    find_contributed();
    for (const ValueInfo& input : view_.graph.inputs) write_pair(input.name);
    for (int node = 0; node < view_.node_count(); ++node) write_node(node);
    remove_unread_constants();
    if (writer_.used_contributed_domain()) model_.opsets.try_emplace("com.microsoft", 1);
    remove_unused_values(model_.graph);
    find_written_nodes();
    return {.model = std::move(model_),
            .tensors = std::move(tensors_),
            .narrower = std::move(narrower_),
            .layers = std::move(layers_)};
  }

 private:
  static Model without_nodes(const Model& model) {
    Model copy = model;
    copy.graph.nodes.clear();
    return copy;
  }

  /// Finds the graph outputs, and the tensors read inside subgraphs, whose name is kept for the
  /// dequantized value, so that their readers need not be changed.
  void find_kept_names() {
    for (const auto& [key, pair] : view_.plan.pairs) {
      const std::string& tensor = key;  // clang 14 captures no structured binding
      if (!pair.for_all_readers || !blueprint_.activations.params.contains(tensor)) continue;
      const auto reads_it_inside = [&](int reader) {
        const auto& inputs = view_.node(reader).inputs;
        return std::ranges::find(inputs, tensor) == inputs.end();
      };
      if (view_.index.is_graph_output(tensor) ||
          std::ranges::any_of(view_.index.consumers(tensor), reads_it_inside)) {
        raw_names_[tensor] = names_.unique(tensor + "_QuantizeLinear_Input");
      }
    }
  }

  /// Finds the tensors whose pairs must be of domain com.microsoft. ONNX Runtime inserts Reshapes
  /// around a MatMul of rank 3 or more with a bias. From opset 21 on it then writes an output_dtype
  /// that contradicts an int8 zero point and cannot load the model. The com.microsoft operators
  /// have no such attribute.
  void find_contributed() {
    constexpr std::int64_t kFirstOpset = 21;
    if (blueprint_.model.opset() < kFirstOpset) return;
    for (int node = 0; node < view_.node_count(); ++node) {
      const auto& bias = view_.planned(node).bias_add;
      const std::string& input = view_.node(node).inputs.empty() ? "" : view_.node(node).inputs[0];
      if (!bias || rank_of(view_.index, input) == std::size_t{2}) continue;
      contributed_.insert(input);
      const std::string& output = view_.node(bias->node).outputs[0];
      contributed_.insert(output);
      if (const auto pair = view_.plan.pairs.find(output);
          pair != view_.plan.pairs.end() && pair->second.before_clamp) {
        contributed_.insert(view_.node(*pair->second.before_clamp).outputs[0]);
      }
    }
  }

  void write_node(int at) {
    Node node = view_.node(at);
    const NodePlan& plan = view_.planned(at);
    read_dequantized(node, plan);
    if (plan.is_recurrent) write_recurrent(node);
    if (plan.quantized && !plan.reads_table) {
      if (has_weight(plan.rule->kind)) write_weight(node, at);
      read_constants(node, plan);
      if (plan.biased_matmul) write_matmul_bias(node, *plan.biased_matmul);
      if (const auto gate = integer_gate(view_, at)) write_gate(node, *gate);
    }
    const std::vector<std::string> outputs = node.outputs;
    for (std::string& output : node.outputs) {
      if (const auto raw = raw_names_.find(output); raw != raw_names_.end()) output = raw->second;
    }
    if (plan.reads_table) {
      write_table(std::move(node));
    } else {
      model_.graph.nodes.push_back(std::move(node));
    }
    for (const std::string& output : outputs) write_pair(output);
  }

  /// Turns a HardSigmoid into the Add, and a HardSwish into the Mul, of its integer form.
  void write_gate(Node& node, const HardGate& gate) {
    const std::string& output = node.outputs[0];
    std::string& offset = offsets_[gate.offset];
    if (offset.empty()) {
      constexpr std::uint8_t kWhole = 255;
      offset = writer_.add_constant(names_.unique("hard_activation_offset"),
                                    {.integers = Tensor::of<std::uint8_t>({}, {kWhole}),
                                     .params = uint8_params(gate.offset)});
    }
    if (node.is("HardSwish")) {
      const std::string sum = writer_.add_plain(output, "Add", {node.inputs[0], offset}, "");
      node.inputs.push_back(
          writer_.add_pair({.label = output + "_gate", .input = sum, .output = ""}, uint8_params(1),
                           false, 1 / gate.slope));
      node.op_type = "Mul";
    } else if (saturates_like_gate(blueprint_.activations.params.at(output)) &&
               !blueprint_.activations.narrower.contains(output)) {
      raw_names_.try_emplace(output, names_.unique(output + "_Add_Output"));
      divisors_[output] = 1 / gate.slope;
      node.inputs.push_back(offset);
      node.op_type = "Add";
      node.attributes.clear();
    }
  }

  /// uint8 over [0, high].
  static TensorParams uint8_params(float high) {
    return {.type = DataType::uint8, .scales = {high / 255}, .zero_points = {0}};
  }

  void write_table(Node gather) {
    const std::string table = gather.inputs[0];
    const QuantizedTensor& tensor = *blueprint_.tables.find(table)->second;
    tensors_[table] = tensor.params;
    table_writer_.write(std::move(gather), tensor, stored_names(table, tensor));
  }

  /// The names of stored integers, which are written once although several nodes may read them.
  const StoredIntegers& stored_names(const std::string& label, const QuantizedTensor& tensor) {
    const auto known = stored_.find(&tensor);
    if (known != stored_.end()) return known->second;
    return stored_.emplace(&tensor, writer_.add_integers(label, tensor)).first->second;
  }

  /// DynamicQuantizeLSTM reads the inputs of LSTM, its weights as integers, and their parameters.
  void write_recurrent(Node& node) {
    constexpr std::size_t kInputsOfLstm = 8;
    node.op_type = "DynamicQuantizeLSTM";
    node.domain = "com.microsoft";
    model_.opsets.try_emplace("com.microsoft", 1);
    node.remove_attribute("layout");  // it is 0, and DynamicQuantizeLSTM has no other layout
    node.inputs.resize(kInputsOfLstm);
    for (const std::size_t input : {std::size_t{1}, std::size_t{2}}) {
      const std::string weight = node.inputs[input];
      QuantizedTensor made = quantize_recurrent(*view_.index.initializer(weight));
      const Shape shape = {made.integers.shape()[0], made.integers.shape()[2]};
      const std::string label = names_.unique(weight + "_recurrent");
      const std::vector<std::uint8_t> zero_points(made.params.zero_points.begin(),
                                                  made.params.zero_points.end());
      node.inputs[input] = label;
      node.inputs.push_back(names_.unique(label + "_scale"));
      writer_.add_initializer(node.inputs.back(), Tensor::of<float>(shape, made.params.scales));
      node.inputs.push_back(names_.unique(label + "_zero_point"));
      writer_.add_initializer(node.inputs.back(), Tensor::of<std::uint8_t>(shape, zero_points));
      writer_.add_initializer(label, std::move(made.integers));
    }
  }

  /// Removes constants that the model stored as integers and that are now written in another form.
  void remove_unread_constants() {
    if (view_.plan.stored.empty()) return;
    const GraphIndex index(model_.graph);
    std::erase_if(model_.graph.nodes, [&](const Node& node) {
      return node.outputs.size() == 1 && view_.plan.stored.contains(node.outputs[0]) &&
             index.consumers(node.outputs[0]).empty() && !index.is_graph_output(node.outputs[0]);
    });
  }

  void write_pair(const std::string& tensor) {
    const auto params = blueprint_.activations.params.find(tensor);
    if (params == blueprint_.activations.params.end()) return;
    const auto raw = raw_names_.find(tensor);
    const bool renamed = raw != raw_names_.end();
    const std::string& input = renamed ? raw->second : tensor;
    dequantized_[tensor][params->second.type] =
        writer_.add_pair({.label = tensor, .input = input, .output = renamed ? tensor : ""},
                         params->second, is_contributed(tensor, params->second.type),
                         divisors_.contains(tensor) ? divisors_.at(tensor) : 1);
    tensors_[tensor] = params->second;
    const auto others = blueprint_.activations.narrower.find(tensor);
    if (others == blueprint_.activations.narrower.end()) return;
    for (const TensorParams& other : others->second) {
      const std::string label = tensor + "_" + std::string(to_string(other.type));
      dequantized_[tensor][other.type] =
          writer_.add_pair({.label = label, .input = input, .output = ""}, other,
                           is_contributed(tensor, other.type));
    }
    narrower_[tensor] = others->second;
  }

  [[nodiscard]] bool is_contributed(const std::string& tensor, DataType type) const {
    return type == DataType::int8 && contributed_.contains(tensor);
  }

  /// Connects the inputs of a node to dequantized values. All readers of an integer producer read
  /// the dequantized value. Of the readers of a float producer only quantized nodes do, so that the
  /// others keep their precision. Quantized nodes read their own type, other nodes the widest.
  void read_dequantized(Node& node, const NodePlan& plan) {
    std::vector<std::size_t> data;
    if (plan.quantized) data = data_inputs(node, *plan.rule, view_.index);
    for (std::size_t input = 0; input < node.inputs.size(); ++input) {
      const auto dequantized = dequantized_.find(node.inputs[input]);
      if (dequantized == dequantized_.end()) continue;
      const PairPlan& pair = view_.plan.pairs.find(node.inputs[input])->second;
      if (std::ranges::find(data, input) != data.end()) {
        node.inputs[input] = dequantized->second.at(pair.type_for(plan.activation));
      } else if (pair.for_all_readers) {
        node.inputs[input] = dequantized->second.at(pair.types.front());
      }
    }
  }

  /// Quantizes constant operands of elementwise operators and constant left operands of MatMul.
  void read_constants(Node& node, const NodePlan& plan) {
    if (plan.biased_matmul || plan.follows) return;
    for (const std::size_t input : data_inputs(node, *plan.rule, view_.index)) {
      const std::string name = node.inputs[input];
      const Tensor* constant = view_.index.initializer(name);
      if (constant == nullptr || constant->type() != DataType::float32) continue;
      auto& dequantized = constants_[{name, plan.activation}];
      if (dequantized.empty()) {
        const auto& known = blueprint_.activations.constants;
        const auto found = known.find(name);
        const TensorParams params =
            found != known.end() ? found->second
                                 : constant_params(name, *constant, plan.activation, view_.options);
        dequantized = writer_.add_constant(name, quantize_to_params(*constant, params));
        tensors_[name] = params;
      }
      node.inputs[input] = dequantized;
    }
  }

  void write_weight(Node& node, int at) {
    const auto found = blueprint_.layers.find(at);
    if (found == blueprint_.layers.end()) return;
    const LayerParameters& layer = found->second;
    std::string& dequantized = weights_[layer.quantized_weight.get()];
    const QuantizedTensor& weight = *layer.quantized_weight;
    const StoredIntegers& stored = stored_names(layer.weight, weight);
    if (dequantized.empty()) {
      dequantized = writer_.add_dequantized(layer.weight, weight, stored);
      tensors_[layer.weight] = weight.params;
    }
    node.inputs[1] = dequantized;
    if (node.is("Gemm")) plain_gemm(node, layer);
    WrittenLayer& written = layers_[at];
    written.weight = stored;
    if (takes_bias(node) && !node.input(2).empty()) write_bias(layer, node.inputs[2], written);
  }

  /// Removes alpha and beta, which are multiplied into the constants.
  void plain_gemm(Node& node, const LayerParameters& layer) {
    node.remove_attribute("alpha");
    node.remove_attribute("beta");
    if (!layer.float_bias) return;
    node.inputs[2] = names_.unique(layer.bias + "_scaled");
    writer_.add_initializer(node.inputs[2], *layer.float_bias);
  }

  /// `read` is the bias input of the node; an integer bias takes its place.
  void write_bias(const LayerParameters& layer, std::string& read, WrittenLayer& written) {
    if (!layer.quantized_bias) {
      written.float_bias = read;
      return;
    }
    tensors_[layer.bias] = layer.quantized_bias->params;
    written.bias = writer_.add_integers(layer.bias, *layer.quantized_bias);
    read = writer_.add_dequantized(layer.bias, *layer.quantized_bias, *written.bias);
  }

  void write_matmul_bias(Node& add, int matmul) {
    const auto found = blueprint_.layers.find(matmul);
    if (found == blueprint_.layers.end()) return;
    const std::string& product = view_.node(matmul).outputs[0];
    write_bias(found->second, add.inputs[add.inputs[0] == product ? 1 : 0], layers_[matmul]);
  }

  /// Finds the layers in the written graph by their outputs, which are unchanged unless their name
  /// was given to a dequantized value.
  void find_written_nodes() {
    const GraphIndex index(model_.graph);
    for (auto& [node, layer] : layers_) {
      const std::string& output = view_.node(node).outputs[0];
      const auto raw = raw_names_.find(output);
      layer.node = index.producer(raw == raw_names_.end() ? output : raw->second).value();
    }
  }

  const Blueprint& blueprint_;
  const PlanView& view_;  // of the float model
  NameAllocator names_;
  Model model_;
  QdqWriter writer_;
  TableWriter table_writer_;
  // Tensor -> new name of its producer's output.
  std::map<std::string, std::string, std::less<>> raw_names_;
  // Tensor -> dequantized value of each type.
  std::map<std::string, std::map<DataType, std::string>, std::less<>> dequantized_;
  // Initializer and type -> dequantized value.
  std::map<std::pair<std::string, DataType>, std::string> constants_;
  std::map<float, std::string> offsets_;                   // of gates -> dequantized value
  std::map<std::string, float> divisors_;                  // of the pairs that are not 1
  std::map<const QuantizedTensor*, std::string> weights_;  // -> dequantized value
  std::map<const QuantizedTensor*, StoredIntegers> stored_;
  std::set<std::string, std::less<>> contributed_;
  std::map<std::string, TensorParams> tensors_;
  std::map<std::string, std::vector<TensorParams>> narrower_;
  std::map<int, WrittenLayer> layers_;
};

}  // namespace

Emitted emit(const Blueprint& blueprint) { return Emitter(blueprint).run(); }

}  // namespace quantsearch
