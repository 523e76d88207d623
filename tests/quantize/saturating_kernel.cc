#include "quantize/saturating_kernel.h"

#include <algorithm>
#include <optional>

namespace quantsearch::testing {

namespace {

/// An integer tensor as int64 values.
std::vector<std::int64_t> integers_of(const Tensor& tensor) {
  std::vector<std::int64_t> values;
  if (tensor.type() == DataType::uint8) {
    for (const std::uint8_t value : tensor.values<std::uint8_t>()) values.push_back(value);
  } else {
    for (const std::int8_t value : tensor.values<std::int8_t>()) values.push_back(value);
  }
  return values;
}

struct Layer {
  int node = 0;
  std::string stored;  // the integers that the layer reads
  std::int64_t stored_zero = 0;
  std::int64_t offset = 0;  // 128 for int8, which is rewritten as uint8
  const Tensor* weight = nullptr;
};

std::optional<Layer> layer_of(const Graph& graph, const GraphIndex& index, int at) {
  const Node& node = graph.nodes[static_cast<std::size_t>(at)];
  if (!node.is("Conv") && !node.is("Gemm") && !node.is("MatMul")) return std::nullopt;
  const auto dequantize = [&](const std::string& tensor) -> const Node* {
    const auto producer = index.producer(tensor);
    if (!producer) return nullptr;
    const Node& made = graph.nodes[static_cast<std::size_t>(*producer)];
    return made.op_type == "DequantizeLinear" ? &made : nullptr;
  };
  const Node* input = dequantize(node.inputs[0]);
  const Node* weight = dequantize(node.inputs[1]);
  if (input == nullptr || weight == nullptr) return std::nullopt;
  const Tensor* weights = index.initializer(weight->inputs[0]);
  const Tensor* zero = index.initializer(input->input(2));
  if (weights == nullptr || weights->type() != DataType::int8 || zero == nullptr)
    return std::nullopt;
  if (bits_of(zero->type()) != 8) return std::nullopt;
  return Layer{.node = at,
               .stored = input->inputs[0],
               .stored_zero = integers_of(*zero)[0],
               .offset = zero->type() == DataType::int8 ? 128 : 0,
               .weight = weights};
}

/// Number of sums that saturate.
std::int64_t count(const std::vector<Products>& sums) {
  return std::ranges::count_if(
      sums, [](const Products& sum) { return exact_sum(sum) != saturating_sum(sum); });
}

/// The products of a Conv of any rank, one sum per sample, output channel and position.
std::vector<Products> conv_products(const Node& node, const Layer& layer, const Tensor& input) {
  const Shape& in = input.shape();
  const Shape& w = layer.weight->shape();
  const std::size_t axes = in.size() - 2;
  const auto strides = node.ints_attribute("strides", std::vector<std::int64_t>(axes, 1));
  const auto dilations = node.ints_attribute("dilations", std::vector<std::int64_t>(axes, 1));
  const auto pads = node.ints_attribute("pads", std::vector<std::int64_t>(2 * axes, 0));
  const std::int64_t groups = node.int_attribute("group", 1);
  const auto values = integers_of(input);
  const auto weights = integers_of(*layer.weight);
  std::vector<std::int64_t> out(axes);
  std::int64_t positions = 1;
  std::int64_t kernel = 1;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t reach = dilations[axis] * (w[axis + 2] - 1) + 1;
    out[axis] = (in[axis + 2] + pads[axis] + pads[axis + axes] - reach) / strides[axis] + 1;
    positions *= out[axis];
    kernel *= w[axis + 2];
  }
  if (w[1] == 1 && w[0] == groups && groups > 1) return {};  // depthwise
  std::vector<Products> sums;
  for (std::int64_t sample = 0; sample < in[0]; ++sample) {
    for (std::int64_t channel = 0; channel < w[0]; ++channel) {
      const std::int64_t group = channel / (w[0] / groups);
      for (std::int64_t position = 0; position < positions; ++position) {
        Products sum;
        for (std::int64_t tap = 0; tap < kernel; ++tap) {
          std::int64_t rest_position = position;
          std::int64_t rest_tap = tap;
          std::int64_t offset = 0;
          std::int64_t stride = 1;
          bool is_inside = true;
          for (std::size_t axis = axes; axis-- > 0;) {
            const std::int64_t at = rest_position % out[axis] * strides[axis] - pads[axis] +
                                    rest_tap % w[axis + 2] * dilations[axis];
            is_inside = is_inside && at >= 0 && at < in[axis + 2];
            offset += at * stride;
            stride *= in[axis + 2];
            rest_position /= out[axis];
            rest_tap /= w[axis + 2];
          }
          for (std::int64_t from = 0; from < w[1]; ++from) {
            const std::int64_t in_channel = sample * in[1] + group * w[1] + from;
            const std::int64_t value =
                is_inside ? values[static_cast<std::size_t>(in_channel * stride + offset)]
                          : layer.stored_zero;
            const std::int64_t weight =
                weights[static_cast<std::size_t>((channel * w[1] + from) * kernel + tap)];
            sum.emplace_back(value + layer.offset, weight);
          }
        }
        sums.push_back(std::move(sum));
      }
    }
  }
  return sums;
}

/// The products of a matrix multiplication, one sum per row of the input and column of the weight.
std::vector<Products> matrix_products(const Node& node, const Layer& layer, const Tensor& input) {
  const bool transposed = node.is("Gemm") && node.int_attribute("transB", 0) != 0;
  const Shape& w = layer.weight->shape();
  const std::int64_t depth = w[transposed ? 1 : 0];
  const std::int64_t columns = w[transposed ? 0 : 1];
  const auto values = integers_of(input);
  const auto weights = integers_of(*layer.weight);
  std::vector<Products> sums;
  for (std::int64_t row = 0; row < input.size() / depth; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      Products sum;
      for (std::int64_t k = 0; k < depth; ++k) {
        sum.emplace_back(values[static_cast<std::size_t>(row * depth + k)] + layer.offset,
                         weights[static_cast<std::size_t>(transposed ? column * depth + k
                                                                     : k * columns + column)]);
      }
      sums.push_back(std::move(sum));
    }
  }
  return sums;
}

}  // namespace

std::int64_t exact_sum(const Products& products) {
  std::int64_t sum = 0;
  for (const auto& [value, weight] : products) sum += value * weight;
  return sum;
}

std::int64_t saturating_sum(const Products& products) {
  std::int64_t sum = 0;
  for (std::size_t at = 0; at < products.size(); at += 2) {
    std::int64_t pair = products[at].first * products[at].second;
    if (at + 1 < products.size()) pair += products[at + 1].first * products[at + 1].second;
    sum += std::clamp<std::int64_t>(pair, -32768, 32767);
  }
  return sum;
}

std::map<std::string, std::int64_t> saturated_sums(const Model& quantized,
                                                   const std::vector<Batch>& samples) {
  const Graph& graph = quantized.graph;
  const GraphIndex index(graph);
  std::vector<Layer> layers;
  std::vector<std::string> taps;
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    const auto layer = layer_of(graph, index, node);
    if (!layer) continue;
    layers.push_back(*layer);
    if (std::ranges::find(taps, layer->stored) == taps.end()) taps.push_back(layer->stored);
  }
  const auto session = open_session(quantized, {.threads = 1, .optimize = false, .taps = taps});
  std::map<std::string, std::int64_t> counts;
  for (const Batch& sample : samples) {
    const Batch stored = session->run(sample);
    for (const Layer& layer : layers) {
      const Node& node = graph.nodes[static_cast<std::size_t>(layer.node)];
      const Tensor& input = stored.at(layer.stored);
      counts[node_label(graph, layer.node)] +=
          count(node.is("Conv") ? conv_products(node, layer, input)
                                : matrix_products(node, layer, input));
    }
  }
  return counts;
}

}  // namespace quantsearch::testing
