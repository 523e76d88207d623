// A layer whose addend is not a constant of one value per output channel becomes the layer alone
// and an Add, because integer kernels only take constants of one value per channel. A Gemm's addend
// of one value for all channels is repeated for each channel instead.
//   Conv(x, w, b)            -> Conv(x, w) + Reshape(b, [-1, 1, ...])
//   Gemm(x, w, c), beta b    -> Gemm(x, w) + b * c

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/channel_affine.h"
#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

/// Splits one layer.
class AddendSplitter {
 public:
  AddendSplitter(GraphEditor& editor, int index)
      : editor_(editor), index_(index), layer_(editor.node(index)) {}

  /// Returns a note on what was done; empty when nothing was.
  std::string run() {
    const std::string addend(layer_.input(2));
    if (addend.empty()) return "";
    const Tensor* constant = editor_.constant(addend);
    if (layer_.is("Gemm")) return constant == nullptr ? split(scaled(addend)) : gemm(*constant);
    if (constant != nullptr) return "";
    const auto rank = output_rank();
    if (!rank || *rank < 3) return "";
    return split(per_channel_of(addend, *rank));
  }

 private:
  std::string gemm(const Tensor& constant) {
    if (constant.type() != DataType::float32) return "";
    const auto columns = output_columns();
    if (!columns) return "";
    if (constant.size() == *columns && !constant.shape().empty() &&
        constant.shape().back() == *columns) {
      return "";
    }
    if (constant.size() != 1) return split(scaled(std::string(layer_.input(2))));
    const std::vector<float> values(static_cast<std::size_t>(*columns),
                                    constant.values<float>()[0]);
    editor_.set_constant(index_, 2, layer_.inputs[2], Tensor::of<float>({*columns}, values));
    return fmt::format("{} has its addend written out", editor_.describe(index_));
  }

  [[nodiscard]] const std::vector<Dimension>* dimensions(std::string_view tensor) const {
    const ValueInfo* value = editor_.value(tensor);
    return value != nullptr && value->dimensions ? &*value->dimensions : nullptr;
  }

  [[nodiscard]] std::optional<std::size_t> output_rank() const {
    if (const Tensor* weight = editor_.constant(layer_.input(1))) return weight->shape().size();
    for (const std::string_view tensor : {layer_.input(1), layer_.input(0)}) {
      if (const auto* known = dimensions(tensor)) return known->size();
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::int64_t> output_columns() const {
    const std::size_t axis = layer_.int_attribute("transB", 0) != 0 ? 0 : 1;
    if (const Tensor* weight = editor_.constant(layer_.input(1))) {
      return weight->shape().size() == 2 ? std::optional(weight->shape()[axis]) : std::nullopt;
    }
    const auto* known = dimensions(layer_.input(1));
    return known != nullptr && known->size() == 2 ? (*known)[axis].size : std::nullopt;
  }

  /// The addend of a Conv in a shape that broadcasts to its output.
  std::string per_channel_of(const std::string& addend, std::size_t rank) {
    std::vector<std::int64_t> shape(rank - 1, 1);
    shape[0] = -1;
    return prepare("Reshape", addend,
                   editor_.add_constant(layer_.outputs[0] + "_addend_shape",
                                        Tensor::of<std::int64_t>({std::ssize(shape)}, shape)));
  }

  /// The addend of a Gemm times beta; "" when beta is 0, so that it adds nothing.
  std::string scaled(const std::string& addend) {
    const float beta = layer_.float_attribute("beta", 1);
    if (beta == 1) return addend;
    if (beta == 0) return "";
    return prepare("Mul", addend,
                   editor_.add_constant(layer_.outputs[0] + "_beta", Tensor::scalar(beta)));
  }

  std::string prepare(const std::string& op_type, const std::string& addend,
                      const std::string& operand) {
    std::string output = editor_.unique_name(layer_.outputs[0] + "_addend");
    prepared_.push_back(plain_node(op_type, editor_.unique_name(layer_.outputs[0] + "_" + op_type),
                                   {addend, operand}, output));
    return output;
  }

  std::string split(const std::string& addend) {
    const std::string name = editor_.describe(index_);
    layer_.inputs.resize(2);
    layer_.remove_attribute("beta");
    if (addend.empty()) {
      editor_.node(index_) = layer_;
      return fmt::format("{} lost an addend times 0", name);
    }
    const std::string output = layer_.outputs[0];
    layer_.outputs[0] = editor_.unique_name(output + "_product");
    std::vector<Node> sequence = std::move(prepared_);
    sequence.push_back(layer_);
    sequence.push_back(plain_node("Add", editor_.unique_name(output + "_Add"),
                                  {layer_.outputs[0], addend}, output));
    editor_.replace(index_, std::move(sequence));
    return fmt::format("{} became {} and Add: its addend is not one constant per channel", name,
                       layer_.op_type);
  }

  GraphEditor& editor_;
  int index_;
  Node layer_;
  std::vector<Node> prepared_;  // nodes before the layer that compute the addend
};

}  // namespace

PassResult split_addends(Model model) {
  std::vector<std::string> notes;
  GraphEditor editor(model.graph);
  for (int index = 0; index < editor.node_count(); ++index) {
    if (!takes_bias(editor.node(index))) continue;
    if (std::string note = AddendSplitter(editor, index).run(); !note.empty())
      notes.push_back(std::move(note));
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
