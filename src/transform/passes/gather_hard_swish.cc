// Exporters write HardSigmoid and HardSwish in parts: clip(x + 3, 0, 6) / 6, and x times that, with
// the division before or behind the product. As one operator ONNX Runtime fuses them into the float
// Conv before, and quantization knows what they are. The values agree to rounding.

#include <fmt/core.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

constexpr float kOffset = 3;
constexpr float kTop = 6;
constexpr std::int64_t kOpsetOfHardSwish = 14;

class HardSwishGatherer {
 public:
  explicit HardSwishGatherer(Model& model)
      : has_hard_swish_(model.opset() >= kOpsetOfHardSwish), editor_(model.graph) {}

  std::vector<std::string> run() {
    for (int index = 0; index < editor_.node_count(); ++index) {
      if (editor_.is_removed(index)) continue;
      if (editor_.node(index).is("Clip")) {
        gather_from_clip(index);
      } else if (editor_.node(index).is("HardSigmoid")) {
        gather_from_gate(index);
      }
    }
    editor_.finish();
    return std::move(notes_);
  }

 private:
  [[nodiscard]] bool is_scalar(std::string_view tensor, float value) const {
    const Tensor* constant = editor_.constant(tensor);
    if (constant == nullptr || constant->type() != DataType::float32 || constant->size() != 1)
      return false;
    constexpr float kRounding = 1e-6F;
    return std::abs(constant->values<float>()[0] - value) <= kRounding * value;
  }

  /// The other operand of an Add or Mul by this constant; nullopt when it is no such node.
  [[nodiscard]] std::optional<std::string> operand_beside(const Node& node, std::string_view op,
                                                          float constant) const {
    if (!node.is(op)) return std::nullopt;
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      if (is_scalar(node.inputs[side], constant)) return node.inputs[1 - side];
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<int> only_reader(int index) {
    return editor_.only_reader(editor_.node(index).outputs[0]);
  }

  /// True for a Mul of `x` and the output of `factor`.
  [[nodiscard]] bool multiplies(const Node& node, const std::string& x, int factor) {
    const std::string& other = editor_.node(factor).outputs[0];
    return node.is("Mul") && ((node.inputs[0] == x && node.inputs[1] == other) ||
                              (node.inputs[1] == x && node.inputs[0] == other));
  }

  /// Gathers Add, Clip and what is multiplied behind the Clip.
  void gather_from_clip(int clip) {
    const Node& bounded = editor_.node(clip);
    const bool is_relu6 = is_zero(bounded.input(1)) && is_scalar(bounded.input(2), kTop);
    const std::optional<int> add =
        is_relu6 ? editor_.producer(bounded.inputs[0]) : std::optional<int>();
    if (!add || !editor_.has_one_reader(bounded.inputs[0])) return;
    const std::optional<std::string> x = operand_beside(editor_.node(*add), "Add", kOffset);
    const std::optional<int> next = only_reader(clip);
    if (!x || !next) return;
    if (operand_beside(editor_.node(*next), "Mul", 1 / kTop) == bounded.outputs[0]) {
      write_gate({*add, clip}, *next, *x);
      return gather_from_gate(*next);
    }
    const std::optional<int> last =
        multiplies(editor_.node(*next), *x, clip) ? only_reader(*next) : std::nullopt;
    if (!last || !operand_beside(editor_.node(*last), "Mul", 1 / kTop)) return;
    write_product({*add, clip, *next}, *last, *x);
  }

  /// Gathers a HardSigmoid and the product with its input, which are a HardSwish.
  void gather_from_gate(int gate) {
    const Node node = editor_.node(gate);
    const bool is_its_gate = std::abs(node.float_attribute("alpha", 0.2F) - 1 / kTop) < 1e-6F &&
                             node.float_attribute("beta", 0.5F) == 0.5F;
    const std::optional<int> next = is_its_gate ? only_reader(gate) : std::nullopt;
    if (has_hard_swish_ && next && multiplies(editor_.node(*next), node.inputs[0], gate))
      write_product({gate}, *next, node.inputs[0]);
  }

  [[nodiscard]] bool is_zero(std::string_view tensor) const {
    const Tensor* constant = editor_.constant(tensor);
    return constant != nullptr && constant->type() == DataType::float32 && constant->size() == 1 &&
           constant->values<float>()[0] == 0;
  }

  static void make_gate(Node& node, const std::string& x) {
    node.op_type = "HardSigmoid";
    node.inputs = {x};
    node.attributes.clear();
    node.set_attribute("alpha", 1 / kTop);
    node.set_attribute("beta", 0.5F);
  }

  void write_gate(const std::vector<int>& parts, int last, const std::string& x) {
    notes_.push_back(
        fmt::format("{} and what is before it became HardSigmoid", editor_.describe(last)));
    make_gate(editor_.node(last), x);
    for (const int part : parts) editor_.remove(part);
  }

  void write_product(const std::vector<int>& parts, int last, const std::string& x) {
    notes_.push_back(fmt::format("{} and what is before it became {}", editor_.describe(last),
                                 has_hard_swish_ ? "HardSwish" : "HardSigmoid and Mul"));
    Node& node = editor_.node(last);
    if (has_hard_swish_) {
      node.op_type = "HardSwish";
      node.inputs = {x};
    } else {
      const std::string gate = editor_.unique_name(node.outputs[0] + "_gate");
      Node product = plain_node("Mul", node.name, {x, gate}, node.outputs[0]);
      Node before = plain_node("HardSigmoid", editor_.unique_name(gate), {}, gate);
      make_gate(before, x);
      editor_.replace(last, {std::move(before), std::move(product)});
    }
    for (const int part : parts) editor_.remove(part);
  }

  bool has_hard_swish_;
  GraphEditor editor_;
  std::vector<std::string> notes_;
};

}  // namespace

PassResult gather_hard_swish(Model model) {
  std::vector<std::string> notes = HardSwishGatherer(model).run();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
