// BatchNormalization in inference is y = scale (x - mean) / sqrt(variance + epsilon) + bias per
// channel (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167): an affine map, which the
// linear layer before it can take over (see channel_affine.h). Factors are computed in double and
// each weight is rounded once.

#include <fmt/core.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/channel_affine.h"
#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

constexpr float kDefaultEpsilon = 1e-5F;  // ONNX's default for an absent attribute

// The affine map of a node, or why the node is not one.
struct AffineOrObjection {
  std::optional<ChannelAffine> affine;
  std::string objection;
};

std::string inference_objection(const Node& node) {
  if (node.int_attribute("training_mode", 0) != 0) return "it trains";
  for (std::size_t output = 1; output < node.outputs.size(); ++output) {
    if (!node.outputs[output].empty()) return "it also gives running statistics";
  }
  // Before opset 9, spatial = 0 means statistics per element instead of per channel.
  if (node.int_attribute("spatial", 1) == 0) return "it is not spatial";
  return "";
}

AffineOrObjection affine_of(const GraphEditor& editor, const Node& node) {
  if (std::string objection = inference_objection(node); !objection.empty())
    return {std::nullopt, objection};
  std::vector<std::span<const float>> parameters;  // scale, bias, mean, variance
  for (std::size_t input = 1; input <= 4; ++input) {
    const Tensor* constant = editor.constant(node.input(input));
    if (constant == nullptr || constant->type() != DataType::float32 ||
        constant->shape().size() != 1) {
      return {std::nullopt,
              fmt::format("its input {} is not a float32 constant of one axis", input)};
    }
    parameters.push_back(constant->values<float>());
    if (parameters.back().size() != parameters.front().size())
      return {std::nullopt, "its parameters differ in length"};
  }
  const double epsilon = static_cast<double>(node.float_attribute("epsilon", kDefaultEpsilon));
  ChannelAffine affine;
  for (std::size_t channel = 0; channel < parameters[0].size(); ++channel) {
    const double scale = static_cast<double>(parameters[0][channel]) /
                         std::sqrt(static_cast<double>(parameters[3][channel]) + epsilon);
    const double shift = static_cast<double>(parameters[1][channel]) -
                         scale * static_cast<double>(parameters[2][channel]);
    if (!std::isfinite(scale) || !std::isfinite(shift)) {
      return {std::nullopt, fmt::format("its factor of channel {} is not finite", channel)};
    }
    affine.scale.push_back(scale);
    affine.shift.push_back(shift);
  }
  return {std::move(affine), ""};
}

class Folding {
 public:
  explicit Folding(Graph& graph) : editor_(graph) {}

  std::vector<std::string> run() {
    for (int index = 0; index < editor_.node_count(); ++index) {
      if (!editor_.node(index).is("BatchNormalization")) continue;
      const std::string name = editor_.describe(index);
      const std::string objection = fold(index);
      notes_.push_back(objection.empty() ? fmt::format("{} folded", name)
                                         : fmt::format("{} stays: {}", name, objection));
    }
    editor_.finish();
    return std::move(notes_);
  }

 private:
  // Returns why the node was not folded; empty when it was.
  std::string fold(int norm) {
    const std::string input(editor_.node(norm).input(0));
    const std::optional<int> before = editor_.producer(input);
    if (!before) return "no layer is before it";
    if (!editor_.has_one_reader(input)) return fmt::format("'{}' is also used elsewhere", input);
    const AffineOrObjection map = affine_of(editor_, editor_.node(norm));
    if (!map.affine) return map.objection;
    const Node& layer = editor_.node(*before);
    if (takes_bias(layer)) return fold_into_layer(norm, *before, *map.affine);
    if (layer.is("MatMul")) return fold_into_matmul(norm, *before, *map.affine);
    if (layer.is("Add")) return fold_through_add(norm, *before, *map.affine);
    return fmt::format("{} before it is no linear layer", layer.op_type);
  }

  std::string fold_into_layer(int norm, int before, const ChannelAffine& affine) {
    const LinearLayerOrObjection found = linear_layer(editor_, before);
    if (!found.layer) return fmt::format("{}: {}", editor_.describe(before), found.objection);
    if (found.layer->layout.outputs != std::ssize(affine.scale))
      return "its channels are not the layer's";
    fold_into(editor_, *found.layer, affine);
    editor_.merge(norm, before);
    return "";
  }

  // Channels of a MatMul [rows, in] x [in, out] lie on axis 1 only when its result has two axes.
  std::string matmul_objection(int matmul, const ChannelAffine& affine) {
    const Node& node = editor_.node(matmul);
    const Tensor* weight = editor_.constant(node.input(1));
    if (weight == nullptr || weight->type() != DataType::float32 || weight->shape().size() != 2 ||
        !weight_layout(node, weight->shape())) {
      return "the MatMul before it has no constant float32 matrix";
    }
    if (rank_of(editor_.value(node.input(0))) != 2U)
      return "the MatMul before it is not known to have two axes";
    if (weight->shape()[1] != std::ssize(affine.scale)) return "its channels are not the MatMul's";
    return "";
  }

  void scale_matmul(int matmul, const ChannelAffine& affine) {
    const std::string name(editor_.node(matmul).input(1));
    const Tensor& weight = *editor_.constant(name);
    const WeightLayout layout = *weight_layout(editor_.node(matmul), weight.shape());
    editor_.set_constant(matmul, 1, name, scale_outputs(layout, weight, affine.scale));
  }

  // The normalization itself becomes the Add of the shift that is left of it.
  std::string fold_into_matmul(int norm, int matmul, const ChannelAffine& affine) {
    if (std::string objection = matmul_objection(matmul, affine); !objection.empty())
      return objection;
    scale_matmul(matmul, affine);
    const std::vector<float> shift(affine.shift.begin(), affine.shift.end());
    Node& add = editor_.node(norm);
    const std::string matmul_output = add.inputs[0];
    const std::string bias =
        editor_.add_constant(add.inputs[2], Tensor::of<float>({std::ssize(shift)}, shift));
    add = {.op_type = "Add",
           .domain = "",
           .name = add.name,
           .inputs = {matmul_output, bias},
           .outputs = {add.outputs[0]},
           .attributes = {},
           .extra = add.extra};
    return "";
  }

  std::string fold_through_add(int norm, int add, const ChannelAffine& affine) {
    for (const std::size_t side : {0U, 1U}) {
      const std::string product(editor_.node(add).input(side));
      const std::optional<int> matmul = editor_.producer(product);
      const Tensor* constant = editor_.constant(editor_.node(add).input(1 - side));
      if (!matmul || constant == nullptr || !editor_.node(*matmul).is("MatMul")) continue;
      if (!editor_.has_one_reader(product))
        return fmt::format("'{}' is also used elsewhere", product);
      if (std::string objection = matmul_objection(*matmul, affine); !objection.empty())
        return objection;
      auto bias = values_per_channel(*constant, 2, 1, std::ssize(affine.scale));
      if (!bias) return "the Add before it is not by one constant per channel";
      Tensor folded(DataType::float32, {std::ssize(*bias)});
      for (std::size_t channel = 0; channel < bias->size(); ++channel) {
        folded.mutable_values<float>()[channel] =
            static_cast<float>(affine.scale[channel] * (*bias)[channel] + affine.shift[channel]);
      }
      scale_matmul(*matmul, affine);
      editor_.set_constant(add, 1 - side, "", std::move(folded));
      editor_.merge(norm, add);
      return "";
    }
    return "Add before it is not the bias of a MatMul";
  }

  GraphEditor editor_;
  std::vector<std::string> notes_;
};

}  // namespace

PassResult fold_batch_norm(Model model) {
  std::vector<std::string> notes = Folding(model.graph).run();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
