// An Einsum of two operands that is a matrix product becomes MatMul, so that the rules for MatMul
// apply to it. With the labels sorted into
//   B (both operands and the result), M (left and result), N (right and result), K (both, summed)
// it is Transpose(left) -> [B, M, K], Transpose(right) -> [B, K, N], MatMul -> [B, M, N], with all
// M but the last before B, and Transpose to the requested order; several labels of K or N are
// merged by Reshape. An operand that depends on constants alone becomes the right one, and its
// Transpose is folded later. An Einsum stays when it has one or three operands, a label twice in
// one term or a sum over one operand, or when labels to be merged have unknown sizes.

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

/// One character for each axis; digits stand for the axes of an ellipsis.
struct Equation {
  std::string left;
  std::string right;
  std::string result;
};

struct Operand {
  std::string tensor;
  std::string labels;
  std::vector<std::optional<std::int64_t>> sizes;  // of its labels
};

std::optional<std::vector<std::optional<std::int64_t>>> sizes_of(const GraphEditor& editor,
                                                                 const std::string& tensor) {
  std::vector<std::optional<std::int64_t>> sizes;
  if (const Tensor* constant = editor.constant(tensor)) {
    for (const std::int64_t size : constant->shape()) sizes.emplace_back(size);
    return sizes;
  }
  const ValueInfo* value = editor.value(tensor);
  if (value == nullptr || !value->dimensions) return std::nullopt;
  for (const Dimension& dimension : *value->dimensions) sizes.push_back(dimension.size);
  return sizes;
}

/// Replaces "..." by one digit for each axis it stands for.
void expand_ellipsis(std::string& term, const std::string& axes) {
  if (const auto at = term.find("..."); at != std::string::npos) term.replace(at, 3, axes);
}

bool repeats_a_label(std::string term) {
  std::ranges::sort(term);
  return std::ranges::adjacent_find(term) != term.end();
}

/// Nullopt unless the equation has two operands of these ranks and an ellipsis in at most one.
std::optional<Equation> parse(std::string text, std::size_t left_rank, std::size_t right_rank) {
  std::erase(text, ' ');
  const auto arrow = text.find("->");
  const std::string operands = text.substr(0, arrow);
  const auto comma = operands.find(',');
  if (comma == std::string::npos || operands.find(',', comma + 1) != std::string::npos)
    return std::nullopt;
  Equation equation{
      .left = operands.substr(0, comma), .right = operands.substr(comma + 1), .result = ""};
  std::string axes;
  for (auto [term, rank] : {std::pair{&equation.left, left_rank}, {&equation.right, right_rank}}) {
    if (term->find("...") == std::string::npos) continue;
    const std::size_t named = term->size() - 3;
    if (!axes.empty() || rank < named || rank - named > 9) return std::nullopt;
    for (std::size_t axis = 0; axis < rank - named; ++axis)
      axes += static_cast<char>('0' + static_cast<int>(axis));
    expand_ellipsis(*term, axes);
  }
  if (arrow != std::string::npos) {
    equation.result = text.substr(arrow + 2);
    expand_ellipsis(equation.result, axes);
  } else {
    // The labels that occur once, in alphabetical order after the axes of the ellipsis.
    const std::string both = equation.left + equation.right;
    std::ranges::copy_if(both, std::back_inserter(equation.result),
                         [&](char label) { return std::ranges::count(both, label) == 1; });
    std::ranges::sort(equation.result);
  }
  if (equation.left.size() != left_rank || equation.right.size() != right_rank) return std::nullopt;
  return equation;
}

std::string labels_where(const std::string& of, const std::string& also, bool in_also,
                         const std::string& result, bool in_result) {
  std::string found;
  for (const char label : of) {
    const bool fits = (also.find(label) != std::string::npos) == in_also &&
                      (result.find(label) != std::string::npos) == in_result;
    if (fits) found += label;
  }
  return found;
}

/// Writes one Einsum as a product of `left` and `right`.
class Product {
 public:
  Product(GraphEditor& editor, const Node& einsum, Operand left, Operand right, std::string result)
      : editor_(editor),
        einsum_(einsum),
        left_(std::move(left)),
        right_(std::move(right)),
        result_(std::move(result)),
        batch_(labels_where(left_.labels, right_.labels, true, result_, true)),
        rows_(labels_where(left_.labels, right_.labels, false, result_, true)),
        columns_(labels_where(right_.labels, left_.labels, false, result_, true)),
        summed_(labels_where(left_.labels, right_.labels, true, result_, false)) {
    sort_as_in(result_, batch_);
    sort_as_in(result_, rows_);
    sort_as_in(result_, columns_);
  }

  /// Why the Einsum cannot be written as a matrix product; empty when it can.
  [[nodiscard]] std::string objection() const {
    if (repeats_a_label(left_.labels) || repeats_a_label(right_.labels))
      return "a label stands twice in one term";
    if (batch_.size() + rows_.size() + summed_.size() != left_.labels.size() ||
        batch_.size() + columns_.size() + summed_.size() != right_.labels.size() ||
        batch_.size() + rows_.size() + columns_.size() != result_.size()) {
      return "it sums over one operand alone";
    }
    if (summed_.empty() || rows_.empty() || columns_.empty()) return "it is no matrix product";
    for (const char label : batch_ + summed_) {
      const auto of_left = size_of(left_, label);
      const auto of_right = size_of(right_, label);
      if (of_left && of_right && *of_left != *of_right) return "it broadcasts an axis of size 1";
    }
    if (summed_.size() > 1 && !product_of(summed_)) return "the sizes it sums over are not known";
    if (columns_.size() > 1 && !product_of(columns_))
      return "the sizes of its columns are not known";
    return "";
  }

  /// True when the product has its axes in the requested order.
  [[nodiscard]] bool keeps_order() const { return leading() + columns_ == result_; }

  std::vector<Node> write() {
    const std::string left = merged_left();
    const std::string right = merged_right();
    const std::string split = split_columns(multiply(left, right));
    if (!keeps_order()) transpose(split, leading() + columns_, result_, einsum_.outputs[0]);
    nodes_.back().outputs[0] = einsum_.outputs[0];
    return std::move(nodes_);
  }

 private:
  /// The axes of the product without its columns. The last label of the rows comes last, next to
  /// what is summed; further ones come before the batch, where the right operand broadcasts.
  [[nodiscard]] std::string leading() const {
    if (rows_.empty()) return batch_;
    return rows_.substr(0, rows_.size() - 1) + batch_ + rows_.back();
  }

  static void sort_as_in(const std::string& order, std::string& labels) {
    std::ranges::sort(labels, {}, [&](char label) { return order.find(label); });
  }

  [[nodiscard]] static std::optional<std::int64_t> size_of(const Operand& operand, char label) {
    const auto at = operand.labels.find(label);
    return at == std::string::npos ? std::nullopt : operand.sizes[at];
  }
  [[nodiscard]] std::optional<std::int64_t> size_of(char label) const {
    const auto of_right = size_of(right_, label);
    return of_right ? of_right : size_of(left_, label);
  }
  [[nodiscard]] std::optional<std::int64_t> product_of(const std::string& labels) const {
    std::int64_t product = 1;
    for (const char label : labels) {
      const auto size = size_of(label);
      if (!size || *size == 0) return std::nullopt;
      product *= *size;
    }
    return product;
  }

  std::string append(Node node) {
    nodes_.push_back(std::move(node));
    return nodes_.back().outputs[0];
  }
  [[nodiscard]] std::string fresh(const std::string& what) {
    return editor_.unique_name(einsum_.outputs[0] + "_" + what);
  }

  std::string transpose(const std::string& tensor, const std::string& from, const std::string& to,
                        const std::string& output) {
    if (from == to) return tensor;
    std::vector<std::int64_t> order;
    for (const char label : to) order.push_back(static_cast<std::int64_t>(from.find(label)));
    Node node = plain_node("Transpose", fresh("Transpose"), {tensor}, output);
    node.set_attribute("perm", std::move(order));
    return append(std::move(node));
  }

  std::string reshape(const std::string& tensor, const std::vector<std::int64_t>& shape) {
    const std::string target = editor_.add_constant(
        einsum_.outputs[0] + "_shape", Tensor::of<std::int64_t>({std::ssize(shape)}, shape));
    return append(plain_node("Reshape", fresh("Reshape"), {tensor, target}, fresh("reshaped")));
  }

  /// The left operand as [M, B, M, K]. A 0 in the shape copies the size.
  std::string merged_left() {
    std::string moved = transpose(left_.tensor, left_.labels, leading() + summed_, fresh("left"));
    if (summed_.size() == 1) return moved;
    std::vector<std::int64_t> shape(leading().size(), 0);
    shape.push_back(*product_of(summed_));
    return reshape(moved, shape);
  }

  /// The right operand as [B, K, N].
  std::string merged_right() {
    std::string moved =
        transpose(right_.tensor, right_.labels, batch_ + summed_ + columns_, fresh("right"));
    if (summed_.size() == 1 && columns_.size() == 1) return moved;
    std::vector<std::int64_t> shape(batch_.size(), 0);
    shape.push_back(summed_.size() == 1 ? 0 : *product_of(summed_));
    shape.push_back(columns_.size() == 1 ? -1 : *product_of(columns_));
    return reshape(moved, shape);
  }

  std::string multiply(const std::string& left, const std::string& right) {
    return append(plain_node("MatMul", einsum_.name, {left, right}, fresh("product")));
  }

  std::string split_columns(const std::string& product) {
    if (columns_.size() == 1) return product;
    std::vector<std::int64_t> shape(leading().size(), 0);
    for (const char label : columns_) shape.push_back(*size_of(label));
    return reshape(product, shape);
  }

  GraphEditor& editor_;
  const Node& einsum_;
  Operand left_;
  Operand right_;
  std::string result_;
  std::string batch_;    // B
  std::string rows_;     // M
  std::string columns_;  // N
  std::string summed_;   // K
  std::vector<Node> nodes_;
};

/// Returns a note on what was done or why nothing was.
std::string rewrite(GraphEditor& editor, int index) {
  const Node einsum = editor.node(index);
  const std::string name = editor.describe(index);
  if (einsum.inputs.size() != 2) return name + " stays: it has other than two operands";
  const auto left_sizes = sizes_of(editor, einsum.inputs[0]);
  const auto right_sizes = sizes_of(editor, einsum.inputs[1]);
  if (!left_sizes || !right_sizes) return name + " stays: the rank of an operand is not known";
  const auto equation =
      parse(einsum.string_attribute("equation", ""), left_sizes->size(), right_sizes->size());
  if (!equation) return name + " stays: its equation is not one of two plain terms";
  const Operand first{einsum.inputs[0], equation->left, *left_sizes};
  const Operand second{einsum.inputs[1], equation->right, *right_sizes};
  Product product(editor, einsum, first, second, equation->result);
  Product swapped(editor, einsum, second, first, equation->result);
  const bool left_is_constant = editor.is_constant_expression(einsum.inputs[0]);
  const bool right_is_constant = editor.is_constant_expression(einsum.inputs[1]);
  const bool swaps = left_is_constant != right_is_constant
                         ? left_is_constant
                         : !product.keeps_order() && swapped.keeps_order();
  Product& preferred = swaps ? swapped : product;
  Product& other = swaps ? product : swapped;
  const std::string objection = preferred.objection();
  if (!objection.empty() && !other.objection().empty())
    return fmt::format("{} stays: {}", name, objection);
  editor.replace(index, objection.empty() ? preferred.write() : other.write());
  return name + " became MatMul";
}

}  // namespace

PassResult einsum_to_matmul(Model model) {
  std::vector<std::string> notes;
  GraphEditor editor(model.graph);
  for (int index = 0; index < editor.node_count(); ++index) {
    if (editor.node(index).is("Einsum")) notes.push_back(rewrite(editor, index));
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
