#include "equalize/equivalence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch::testing {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double difference(const Tensor& before, const Tensor& after) {
  if (before.shape() != after.shape()) return kInfinity;
  const Tensor left = to_float32(before);
  const Tensor right = to_float32(after);
  double largest = 0;
  double step = 0;
  for (std::size_t i = 0; i < left.values<float>().size(); ++i) {
    const double a = static_cast<double>(left.values<float>()[i]);
    const double b = static_cast<double>(right.values<float>()[i]);
    if (!std::isfinite(a) || !std::isfinite(b)) return kInfinity;
    largest = std::max(largest, std::abs(a));
    step = std::max(step, std::abs(a - b));
  }
  // A sigmoid that is almost 0 everywhere is rounded like one near 1.
  return step / std::max(largest, 1e-2);
}

}  // namespace

Model built(const ModelBuilder& builder) { return infer_shapes(builder.build_unchecked()); }

double relative_difference(const Model& before, const Model& after,
                           const std::map<std::string, Tensor>& inputs) {
  const SessionOptions options{.threads = 1, .optimize = false, .taps = {}};
  const auto expected = open_session(before, options)->run(inputs);
  const auto got = open_session(after, options)->run(inputs);
  if (expected.size() != got.size()) return kInfinity;
  double largest = 0;
  for (const auto& [name, tensor] : expected) {
    const auto found = got.find(name);
    if (found == got.end()) return kInfinity;
    largest = std::max(largest, difference(tensor, found->second));
  }
  return largest;
}

double relative_difference(const Model& before, const Model& after, std::int64_t batch,
                           std::int64_t size) {
  std::map<std::string, Tensor> inputs;
  for (const ValueInfo& input : before.graph.inputs) {
    Shape shape;
    for (const Dimension& dimension : input.dimensions.value())
      shape.push_back(dimension.size.value_or(shape.empty() ? batch : size));
    inputs[input.name] = random_tensor(shape, 17, -1, 2);
  }
  return relative_difference(before, after, inputs);
}

std::vector<float> weights_of(const Model& model, const std::string& name) {
  const Tensor* tensor = model.graph.find_initializer(name);
  if (tensor == nullptr) throw std::runtime_error("no initializer " + name);
  const auto values = tensor->values<float>();
  return {values.begin(), values.end()};
}

}  // namespace quantsearch::testing
