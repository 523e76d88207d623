#include "transform/pass_test.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantsearch/runtime.h"

namespace quantsearch::testing {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double difference(const Tensor& before, const Tensor& after) {
  if (before.shape() != after.shape() || before.type() != after.type()) return kInfinity;
  if (before == after) return 0;
  const Tensor left = to_float32(before);
  const Tensor right = to_float32(after);
  double largest = 0;
  for (std::size_t index = 0; index < left.values<float>().size(); ++index) {
    const double a = static_cast<double>(left.values<float>()[index]);
    const double b = static_cast<double>(right.values<float>()[index]);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    const double step = std::abs(a - b);
    largest = std::isnan(step) ? kInfinity : std::max(largest, step);
  }
  return largest;
}

}  // namespace

double largest_difference(const std::map<std::string, Tensor>& before,
                          const std::map<std::string, Tensor>& after) {
  if (before.size() != after.size()) return kInfinity;
  double largest = 0;
  for (const auto& [name, tensor] : before) {
    const auto found = after.find(name);
    if (found == after.end()) return kInfinity;
    largest = std::max(largest, difference(tensor, found->second));
  }
  return largest;
}

double largest_difference(const Model& before, const Model& after, std::int64_t batch) {
  const auto inputs = random_inputs(before, 11, batch);
  const SessionOptions options{.threads = 1, .optimize = false, .taps = {}};
  return largest_difference(open_session(before, options)->run(inputs),
                            open_session(after, options)->run(inputs));
}

Model inferred(const ModelBuilder& builder) { return infer_shapes(builder.build_unchecked()); }

int count(const Model& model, const std::string& op_type) {
  return static_cast<int>(std::ranges::count(model.graph.nodes, op_type, &Node::op_type));
}

std::string text(const std::vector<std::string>& notes) {
  return fmt::format("{}", fmt::join(notes, "\n"));
}

Node node_of(const std::string& op_type, const std::vector<std::string>& inputs,
             const std::vector<std::string>& outputs, std::vector<Attribute> attributes) {
  return {.op_type = op_type,
          .domain = "",
          .name = outputs[0] + "_node",
          .inputs = inputs,
          .outputs = outputs,
          .attributes = std::move(attributes),
          .extra = ""};
}

Attribute attribute(const std::string& name, Attribute::Payload value) {
  return {.name = name, .value = std::move(value)};
}

}  // namespace quantsearch::testing
