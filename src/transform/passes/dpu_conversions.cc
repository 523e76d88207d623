// The operators that AMD's DPU computes instead of those that it does not have exactly, written as
// float operators so that calibration and scores include the difference:
//
//   LeakyRelu      The slope is rne(256 alpha) / 256.
//   HardSigmoid    alpha 1/6 is 2731 / 2^14, so the output is multiplied by 6 * 2731 / 2^14.
//   averages       The division by the area A is k / 2^n, so the output is multiplied by A k / 2^n.
//                  The hardware has its own numbers for 3x3 (7/64), 5x5 (10/256), 6x6 (7/256),
//                  7x7 (21/1024) and 14x14 (21/4096); for other areas k / 2^n is the nearest with
//                  n < 7 + ceil(log2 A).
//   Clip           The bounds are rounded to integers in [-128, 127].
//   Sigmoid        It becomes HardSigmoid(alpha 1/6, beta 1/2), which differs by up to 0.07.
//
// A factor of 1 is not written. Each conversion changes the function of the model and is noted.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

constexpr float kSixth = 1.0F / 6;

/// The k / 2^n nearest to 1 / area; of equally near ones that with the smallest n.
double nearest_dyadic(std::int64_t area) {
  const double wanted = 1.0 / static_cast<double>(area);
  const int end = 7 + static_cast<int>(std::ceil(std::log2(static_cast<double>(area))));
  double best = 1;
  for (int n = 0; n < end; ++n) {
    const double candidate = std::ldexp(std::nearbyint(std::ldexp(wanted, n)), -n);
    if (std::abs(candidate - wanted) < std::abs(best - wanted)) best = candidate;
  }
  return best;
}

struct KnownKernel {
  std::int64_t side;
  double factor;
};
constexpr std::array<KnownKernel, 5> kKnownKernels = {
    {{3, 63.0 / 64}, {5, 250.0 / 256}, {6, 252.0 / 256}, {7, 1029.0 / 1024}, {14, 4116.0 / 4096}}};

double pool_factor(const std::vector<std::int64_t>& kernel) {
  std::int64_t area = 1;
  bool is_square = true;
  for (const std::int64_t side : kernel) {
    area *= side;
    is_square = is_square && side == kernel[0];
  }
  if (std::ranges::any_of(kernel, [](std::int64_t side) { return side > 255; })) return 1;
  if (is_square && kernel.size() == 2) {
    const auto known = std::ranges::find(kKnownKernels, kernel[0], &KnownKernel::side);
    if (known != kKnownKernels.end()) return known->factor;
  }
  return nearest_dyadic(area) * static_cast<double>(area);
}

class Converter {
 public:
  Converter(Graph& graph, const DpuOptions& options) : editor_(graph), options_(options) {}

  std::vector<std::string> run() {
    for (int index = 0; index < editor_.node_count(); ++index) convert(index);
    editor_.finish();
    return std::move(notes_);
  }

 private:
  void convert(int index) {
    Node& node = editor_.node(index);
    if (options_.sigmoid_to_hard_sigmoid && node.is("Sigmoid")) sigmoid(index);
    if (options_.leaky_relu && node.is("LeakyRelu")) leaky_relu(index);
    if (options_.hard_sigmoid && node.is("HardSigmoid")) hard_sigmoid(index);
    if (options_.average_pool && (node.is("AveragePool") || node.is("GlobalAveragePool")))
      average(index, pooled_sides(node), true);
    if (options_.reduce_mean && node.is("ReduceMean")) average(index, reduced_sides(node), false);
    if (options_.clip && node.is("Clip")) clip(index);
  }

  void note(int index, const std::string& what) {
    notes_.push_back(fmt::format("{}: {}", editor_.describe(index), what));
  }

  void leaky_relu(int index) {
    Node& node = editor_.node(index);
    const float alpha = node.float_attribute("alpha", 0.01F);
    const float slope = std::nearbyint(256 * alpha) / 256;
    if (slope == alpha) return;
    node.set_attribute("alpha", slope);
    note(index, fmt::format("slope {} became {}", alpha, slope));
  }

  void sigmoid(int index) {
    Node& node = editor_.node(index);
    node.op_type = "HardSigmoid";
    node.set_attribute("alpha", kSixth);
    node.set_attribute("beta", 0.5F);
    note(index, "Sigmoid became HardSigmoid");
  }

  void hard_sigmoid(int index) {
    const Node& node = editor_.node(index);
    if (node.float_attribute("alpha", 0.2F) != kSixth ||
        node.float_attribute("beta", 0.5F) != 0.5F) {
      return note(index, "stays: the DPU's HardSigmoid has alpha 1/6 and beta 1/2");
    }
    multiply_output(index, 6.0 * 2731 / 16384);
  }

  void average(int index, const std::optional<std::vector<std::int64_t>>& sides, bool is_pool) {
    if (!sides) return note(index, "stays: the size of what it averages is not known");
    std::int64_t area = 1;
    for (const std::int64_t side : *sides) area *= side;
    if (area < 1) return;
    multiply_output(
        index, is_pool ? pool_factor(*sides) : nearest_dyadic(area) * static_cast<double>(area));
  }

  /// Sizes of the given axes of a tensor, when all are known.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> sizes_of(
      const std::string& tensor, const std::vector<std::int64_t>& axes) const {
    const ValueInfo* value = editor_.value(tensor);
    if (value == nullptr || !value->dimensions) return std::nullopt;
    const auto rank = static_cast<std::int64_t>(value->dimensions->size());
    std::vector<std::int64_t> sizes;
    for (const std::int64_t axis : axes) {
      const auto& dimension =
          (*value->dimensions)[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
      if (!dimension.size) return std::nullopt;
      sizes.push_back(*dimension.size);
    }
    return sizes;
  }

  [[nodiscard]] std::optional<std::vector<std::int64_t>> all_axes_from(const std::string& tensor,
                                                                       std::int64_t first) const {
    const auto rank = rank_of(editor_.value(tensor));
    if (!rank) return std::nullopt;
    std::vector<std::int64_t> axes;
    for (std::int64_t axis = first; axis < static_cast<std::int64_t>(*rank); ++axis)
      axes.push_back(axis);
    return axes;
  }

  [[nodiscard]] std::optional<std::vector<std::int64_t>> pooled_sides(const Node& node) const {
    if (node.is("AveragePool")) return node.ints_attribute("kernel_shape", {});
    const auto axes = all_axes_from(node.inputs[0], 2);
    return axes ? sizes_of(node.inputs[0], *axes) : std::nullopt;
  }

  [[nodiscard]] std::optional<std::vector<std::int64_t>> reduced_sides(const Node& node) const {
    std::vector<std::int64_t> axes = node.ints_attribute("axes", {});
    if (!node.input(1).empty()) {
      const Tensor* constant = editor_.constant(node.input(1));
      if (constant == nullptr) return std::nullopt;
      axes = to_int64s(*constant);
    }
    if (axes.empty()) {
      const auto all = all_axes_from(node.inputs[0], 0);
      if (!all) return std::nullopt;
      axes = *all;
    }
    return sizes_of(node.inputs[0], axes);
  }

  /// The product takes the name of the tensor that it scales, because users know it by that name.
  void multiply_output(int index, double factor) {
    const auto value = static_cast<float>(factor);
    if (value == 1) return;
    Node& node = editor_.node(index);
    const std::string output = node.outputs[0];
    node.outputs[0] = editor_.unique_name(output + "_unscaled");
    Node product;
    product.op_type = "Mul";
    product.name = editor_.unique_name(output + "_scaling");
    product.inputs = {node.outputs[0],
                      editor_.add_constant(output + "_factor", Tensor::scalar(value))};
    product.outputs = {output};
    note(index, fmt::format("its output is multiplied by {}", value));
    editor_.insert_after(index, std::move(product));
  }

  void clip(int index) {
    for (const std::size_t input : {1U, 2U}) {
      const std::string name(editor_.node(index).input(input));
      const Tensor* bound = editor_.constant(name);
      if (bound == nullptr || bound->type() != DataType::float32 || bound->size() != 1) continue;
      const float now = bound->values<float>()[0];
      const float rounded = std::clamp(std::nearbyint(now), -128.0F, 127.0F);
      if (rounded == now) continue;
      Tensor changed = *bound;
      changed.mutable_values<float>()[0] = rounded;
      editor_.set_constant(index, input, name + "_rounded", std::move(changed));
      note(index, fmt::format("bound {} became {}", now, rounded));
    }
  }

  GraphEditor editor_;
  const DpuOptions& options_;
  std::vector<std::string> notes_;
};

}  // namespace

PassResult dpu_conversions(Model model, const DpuOptions& options) {
  std::vector<std::string> notes = Converter(model.graph, options).run();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
