#include "calibrate/logarithms.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "calibrate/range_methods.h"

namespace quantsearch {

namespace {

template <std::size_t kCount>
bool is_among(const Node& node, const std::array<std::string_view, kCount>& operators) {
  return std::ranges::find(operators, node.op_type) != operators.end();
}

/// True for operators whose result grows in proportion to this input: sums, averages, products with
/// another value, selections and data movement. Signals, spectra and powers are computed by these.
/// The divisor of a Div, the condition of a Where and indices are not such inputs.
bool is_proportional(const Node& node, std::size_t input) {
  static constexpr auto kMoving = std::to_array<std::string_view>(
      {"Cast", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "Pad",
       "Reshape", "Resize", "Slice", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"});
  static constexpr auto kComputing = std::to_array<std::string_view>(
      {"Abs", "AveragePool", "BatchNormalization", "Clip", "Conv", "ConvTranspose", "DFT", "Div",
       "GlobalAveragePool", "MaxPool", "Neg", "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean",
       "ReduceMin", "ReduceSum", "STFT"});
  static constexpr auto kOfAllInputs = std::to_array<std::string_view>(
      {"Add", "Concat", "Gemm", "MatMul", "Max", "Mean", "Min", "Mul", "Sub", "Sum"});
  if (!node.domain.empty()) return false;
  if (is_among(node, kOfAllInputs)) return true;
  if (node.is("Where")) return input > 0;
  return input == 0 && (is_among(node, kMoving) || is_among(node, kComputing));
}

/// Median magnitude of the values that a Log reads, relative to the largest.
std::optional<double> median_of(const TensorStatistics& statistics) {
  if (statistics.count == 0) return std::nullopt;
  const double largest = std::max(std::abs(static_cast<double>(statistics.min)),
                                  std::abs(static_cast<double>(statistics.max)));
  if (largest == 0) return std::nullopt;
  return percentile_range(statistics, 50, true).high / largest;
}

/// Walks once from the outputs to the inputs; the nodes are in topological order.
class LogarithmWalk {
 public:
  LogarithmWalk(const Statistics& statistics, Facts& facts)
      : statistics_(statistics), facts_(facts) {}

  void run(const Graph& graph) {
    const GraphIndex index(graph);
    for (std::size_t node = graph.nodes.size(); node-- > 0;) {
      const Node& at = graph.nodes[node];
      enter_bodies(at);
      if (at.is("Log")) {
        const auto seen = statistics_.tensors.find(at.inputs[0]);
        if (seen == statistics_.tensors.end()) continue;
        if (const auto median = median_of(seen->second)) reach(at.inputs[0], *median);
      } else if (const auto median = median_of_outputs(at)) {
        pass_back(index, at, *median);
      }
    }
  }

 private:
  /// A body may compute what a Log outside reads, and may itself read what is computed outside.
  void enter_bodies(const Node& node) {
    for (const Attribute& attribute : node.attributes) {
      const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute.value);
      if (body == nullptr) continue;
      for (std::size_t output = 0; node.is("If") && output < node.outputs.size(); ++output) {
        if (const auto found = medians_.find(node.outputs[output]); found != medians_.end())
          reach((*body)->outputs[output].name, found->second);
      }
      run(**body);
    }
  }

  [[nodiscard]] std::optional<double> median_of_outputs(const Node& node) const {
    std::optional<double> median;
    for (const std::string& output : node.outputs) {
      const auto found = medians_.find(output);
      if (found != medians_.end()) median = std::min(median.value_or(1), found->second);
    }
    return median;
  }

  /// A power widens a range of values and a root narrows it: the median of x^2 is 1/10,000 of its
  /// largest value where that of |x| is 1/100.
  void pass_back(const GraphIndex& index, const Node& node, double median) {
    if (node.is("Sqrt")) return reach(node.inputs[0], median * median);
    if (node.is("Pow")) {
      const Tensor* exponent = index.initializer(node.input(1));
      if (exponent == nullptr || exponent->type() != DataType::float32 || exponent->size() != 1)
        return;
      const auto power = static_cast<double>(exponent->values<float>()[0]);
      if (power > 0) reach(node.inputs[0], std::pow(median, 1 / power));
      return;
    }
    if (node.is("Mul") && node.inputs[0] == node.inputs[1])
      return reach(node.inputs[0], std::sqrt(median));
    for (std::size_t input = 0; input < node.inputs.size(); ++input) {
      const std::string& read = node.inputs[input];
      if (is_proportional(node, input) && index.initializer(read) == nullptr) reach(read, median);
    }
    if (node.is("Relu")) note(node.inputs[0], median);
  }

  /// Notes the tensor and continues the walk from it.
  void reach(const std::string& tensor, double median) {
    const auto [known, is_new] = medians_.try_emplace(tensor, median);
    if (!is_new) known->second = std::min(known->second, median);
    note(tensor, known->second);
  }

  void note(const std::string& tensor, double median) {
    if (tensor.empty()) return;
    std::optional<double>& known = facts_[tensor].median_for_log;
    known = std::min(known.value_or(1), median);
  }

  const Statistics& statistics_;
  Facts& facts_;
  std::map<std::string, double, std::less<>> medians_;  // of tensors from which the walk continues
};

}  // namespace

void follow_logarithms(const Statistics& statistics, const Graph& graph, Facts& facts) {
  LogarithmWalk(statistics, facts).run(graph);
}

}  // namespace quantsearch
