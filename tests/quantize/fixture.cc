#include "quantize/fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace quantsearch::testing {

Model tiny_conv(float second_bias, std::int64_t opset) {
  ModelBuilder builder(opset);
  builder.input("x", {1, 2, 1, 2});
  builder.weight("w", {2, 2, 1, 1}, {1.27F, -0.5F, 0.2F, 0.635F});
  builder.weight("b", {2}, {0.3F, second_bias});
  return build_with_output(builder, builder.node("Conv", {"x", "w", "b"}, {}, "conv"));
}

Ranges ranges_over(const Model& model, const std::vector<Batch>& samples) {
  std::vector<std::string> wanted = tensors_to_observe(model);
  std::vector<std::string> taps;
  const GraphIndex index(model.graph);
  std::erase_if(wanted, [&](const std::string& tensor) {  // tensors of bodies
    return !index.producer(tensor) && !index.is_graph_input(tensor);
  });
  for (const std::string& tensor : wanted) {
    if (!index.is_graph_input(tensor) && !index.is_graph_output(tensor)) taps.push_back(tensor);
  }
  const auto session = open_session(model, {.threads = 1, .optimize = false, .taps = taps});
  Ranges ranges;
  for (const Batch& sample : samples) {
    Batch values = sample;
    for (auto& [name, tensor] : session->run(sample)) values[name] = tensor;
    for (const std::string& tensor : wanted) {
      const auto numbers = values.at(tensor).values<float>();
      if (numbers.empty()) continue;
      const auto [low, high] = std::ranges::minmax_element(numbers);
      const auto [entry, is_new] = ranges.try_emplace(tensor, Range{.low = *low, .high = *high});
      entry->second.low = std::min(entry->second.low, static_cast<double>(*low));
      entry->second.high = std::max(entry->second.high, static_cast<double>(*high));
    }
  }
  return ranges;
}

Ranges observed_ranges(const Model& model, int samples) {
  std::vector<Batch> inputs;
  for (int sample = 0; sample < samples; ++sample) {
    inputs.push_back(random_inputs(model, 100 + static_cast<std::uint64_t>(sample)));
  }
  return ranges_over(model, inputs);
}

Model build_with_output(ModelBuilder& builder, const std::string& tensor) {
  Model model = builder.build_unchecked();
  const Model inferred = infer_shapes(model);
  const ValueInfo* value = inferred.graph.find_value(tensor);
  if (value == nullptr) throw std::runtime_error("no shape was inferred for " + tensor);
  model.graph.outputs.push_back(*value);
  check_model(model);
  return infer_shapes(std::move(model));
}

QuantizedModel quantized(const Model& model, const QuantizeOptions& options) {
  ThreadPool pool(1);
  return quantize(model, observed_ranges(model), options, pool);
}

std::map<std::string, int> fused_operators(const Model& model) {
  return report_kernels(optimized_model(model)).operators;
}

double steps_apart_on(const QuantizedModel& model, const std::vector<Batch>& samples) {
  const auto fused = open_session(model.model, {.threads = 1, .optimize = true, .taps = {}});
  const auto plain = open_session(model.model, {.threads = 1, .optimize = false, .taps = {}});
  double worst = 0;
  for (const Batch& inputs : samples) {
    const Batch fast = fused->run(inputs);
    for (const auto& [name, expected] : plain->run(inputs)) {
      const auto slow_values = expected.values<float>();
      const auto fast_values = fast.at(name).values<float>();
      const auto params = model.tensors.find(name);
      double step =
          params != model.tensors.end() ? static_cast<double>(params->second.scales[0]) : 1.0 / 255;
      for (const float value : slow_values)
        step = std::max(step, std::abs(static_cast<double>(value)) / 255);
      for (std::size_t at = 0; at < slow_values.size(); ++at) {
        worst = std::max(worst,
                         std::abs(static_cast<double>(slow_values[at] - fast_values[at])) / step);
      }
    }
  }
  return worst;
}

double steps_apart(const QuantizedModel& model, int samples) {
  std::vector<Batch> inputs;
  for (int sample = 0; sample < samples; ++sample) {
    inputs.push_back(random_inputs(model.model, 200 + static_cast<std::uint64_t>(sample)));
  }
  return steps_apart_on(model, inputs);
}

namespace {

const LayerRecord& record_of(const std::vector<LayerRecord>& layers, const std::string& node) {
  const auto found = std::ranges::find(layers, node, &LayerRecord::node);
  if (found == layers.end()) throw std::runtime_error("no layer record for " + node);
  return *found;
}

}  // namespace

std::string reason_of(const std::vector<LayerRecord>& layers, const std::string& node) {
  return record_of(layers, node).reason;
}

bool is_quantized(const std::vector<LayerRecord>& layers, const std::string& node) {
  return record_of(layers, node).quantized;
}

int float_forecast(const std::vector<LayerRecord>& layers) {
  return static_cast<int>(std::ranges::count_if(layers, [](const LayerRecord& layer) {
    const bool computes = layer.op_type == "Conv" || layer.op_type == "ConvTranspose" ||
                          layer.op_type == "Gemm" || layer.op_type == "MatMul";
    return computes && !layer.reason.empty();
  }));
}

int count_of(const Model& model, const std::string& op_type) {
  return static_cast<int>(std::ranges::count(model.graph.nodes, op_type, &Node::op_type));
}

}  // namespace quantsearch::testing
