#include "quantize/placement/value_bounds.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "quantize/placement/range_rules.h"

namespace quantsearch {

namespace {

class Bounding {
 public:
  Bounding(const GraphView& view, const ObservedRange& observed)
      : view_(view), observed_(observed) {}

  /// The range of a tensor that a node reads: observed if possible, else from its producer.
  [[nodiscard]] std::optional<Range> of(const std::string& tensor) const {
    if (const Tensor* constant = view_.index.initializer(tensor)) return of_constant(*constant);
    const RangeSource source = range_source(view_, tensor);
    if (source.fixed) return source.fixed;
    if (const auto seen = observed_(source.tensor)) return seen;
    return made(source.tensor);
  }

  /// The range that follows from the inputs of the producer.
  [[nodiscard]] std::optional<Range> made(const std::string& tensor) const {
    const auto producer = view_.index.producer(tensor);
    if (!producer) return std::nullopt;
    const Node& node = view_.node(*producer);
    if (node.is("MatMul") || node.is("Gemm") || node.is("Conv")) return weighted_sum(node);
    if (node.is("Concat") || node.is("Max") || node.is("Min")) return joined(node);
    if (node.is("Add") || node.is("Sub") || node.is("Mul")) return combined(node);
    return std::nullopt;
  }

 private:
  [[nodiscard]] static std::optional<Range> of_constant(const Tensor& constant) {
    if (constant.type() != DataType::float32 || constant.size() == 0) return std::nullopt;
    const auto values = constant.values<float>();
    const auto [low, high] = std::ranges::minmax_element(values);
    if (!std::isfinite(*low) || !std::isfinite(*high)) return std::nullopt;
    return Range{.low = static_cast<double>(*low), .high = static_cast<double>(*high)};
  }

  [[nodiscard]] std::optional<Range> joined(const Node& node) const {
    std::optional<Range> all;
    for (const std::string& input : node.inputs) {
      const auto part = of(input);
      if (!part) return std::nullopt;
      all =
          all ? Range{.low = std::min(all->low, part->low), .high = std::max(all->high, part->high)}
              : *part;
    }
    return all;
  }

  [[nodiscard]] std::optional<Range> combined(const Node& node) const {
    const auto a = of(node.inputs[0]);
    const auto b = of(node.inputs[1]);
    if (!a || !b) return std::nullopt;
    if (node.is("Add")) return Range{.low = a->low + b->low, .high = a->high + b->high};
    if (node.is("Sub")) return Range{.low = a->low - b->high, .high = a->high - b->low};
    const auto ends =
        std::minmax({a->low * b->low, a->low * b->high, a->high * b->low, a->high * b->high});
    return Range{.low = ends.first, .high = ends.second};
  }

  /// |sum w x| <= sum |w| * max |x|, where the sum runs over the weights of one output.
  [[nodiscard]] std::optional<Range> weighted_sum(const Node& node) const {
    const Tensor* weight = view_.index.initializer(node.input(1));
    const auto input = of(node.inputs[0]);
    if (weight == nullptr || weight->type() != DataType::float32 || !input) return std::nullopt;
    double largest =
        largest_norm(node, *weight) * std::max(std::abs(input->low), std::abs(input->high));
    if (!node.input(2).empty()) {
      const auto bias = of(node.inputs[2]);
      if (!bias) return std::nullopt;
      largest += std::max(std::abs(bias->low), std::abs(bias->high));
    }
    return Range{.low = -largest, .high = largest};
  }

  /// The largest sum of magnitudes over the weights of one output.
  [[nodiscard]] static double largest_norm(const Node& node, const Tensor& weight) {
    const Shape& shape = weight.shape();
    const bool outputs_last =
        node.is("MatMul") || (node.is("Gemm") && node.int_attribute("transB", 0) == 0);
    const auto outputs = static_cast<std::size_t>(shape.empty()  ? 1
                                                  : outputs_last ? shape.back()
                                                                 : shape.front());
    const auto values = weight.values<float>();
    const std::size_t of_one = values.size() / std::max<std::size_t>(1, outputs);
    std::vector<double> norms(outputs, 0.0);
    for (std::size_t at = 0; at < values.size(); ++at)
      norms[outputs_last ? at % outputs : at / of_one] += std::abs(static_cast<double>(values[at]));
    const double norm = norms.empty() ? 0 : *std::ranges::max_element(norms);
    return node.is("Gemm") ? norm * std::abs(static_cast<double>(node.float_attribute("alpha", 1)))
                           : norm;
  }

  const GraphView& view_;
  const ObservedRange& observed_;
};

}  // namespace

std::optional<Range> value_bounds(const GraphView& view, const std::string& tensor,
                                  const ObservedRange& observed) {
  return Bounding(view, observed).made(tensor);
}

bool has_value_bounds(const GraphView& view, const std::string& tensor, const Facts& facts) {
  const ObservedRange is_observed = [&](const std::string& source) {
    const auto fact = facts.find(source);
    return fact != facts.end() && fact->second.has_no_range()
               ? std::nullopt
               : std::optional(Range{.low = -1, .high = 1});
  };
  return value_bounds(view, tensor, is_observed).has_value();
}

}  // namespace quantsearch
