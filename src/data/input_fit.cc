#include "data/input_fit.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

std::string describe_input(const ValueInfo& input) {
  ValueInfo unnamed = input;
  unnamed.name.clear();
  return fmt::format("'{}' {}", input.name, to_string(unnamed));
}

/// True when converting back gives the same integers, so that nothing was clamped.
bool survives(const Tensor& original, const Tensor& converted) {
  // A uint64 value beyond int64 saturates in both directions and is detected because it changes.
  return convert(converted, original.type()) == original;
}

}  // namespace

const ValueInfo* ModelInputs::find(std::string_view name) const {
  for (const auto* inputs : {&required, &optional}) {
    const auto found = std::ranges::find(*inputs, name, &ValueInfo::name);
    if (found != inputs->end()) return &*found;
  }
  return nullptr;
}

ModelInputs model_inputs(const Model& model) {
  ModelInputs inputs;
  for (const ValueInfo& input : model.graph.inputs) {
    const bool is_optional = model.graph.find_initializer(input.name) != nullptr;
    (is_optional ? inputs.optional : inputs.required).push_back(input);
  }
  return inputs;
}

std::string describe_inputs(const ModelInputs& inputs) {
  std::vector<std::string> parts;
  for (const ValueInfo& input : inputs.required) parts.push_back(describe_input(input));
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

bool shape_fits(const Shape& shape, const ValueInfo& input) {
  if (!input.dimensions) return true;
  return std::ranges::equal(*input.dimensions, shape,
                            [](const Dimension& wanted, std::int64_t size) {
                              return wanted.size.value_or(size) == size;
                            });
}

bool type_fits(DataType from, DataType to) {
  return from == to || (is_floating(from) && is_floating(to)) ||
         (is_integer(from) && is_integer(to));
}

std::string way_out_of_type(DataType from, DataType to) {
  if (is_integer(from) && is_floating(to)) {
    return fmt::format("scale the values as in the model's training and save them as {}",
                       to_string(to));
  }
  return fmt::format("save the values as {}", to_string(to));
}

Tensor as_type(const Tensor& tensor, DataType type, const std::string& description) {
  if (tensor.type() == type) return tensor;
  Tensor converted = convert(tensor, type);
  if (is_floating(type)) {
    const std::int64_t infinite = count_non_finite(converted).infinite;
    if (infinite > count_non_finite(tensor).infinite) {
      throw InvalidInput(fmt::format(
          "data: {} holds {} values beyond the range of {}, which the model's input takes; "
          "scale the values or change the model's input type",
          description, to_string(tensor.type()), to_string(type)));
    }
  } else if (!survives(tensor, converted)) {
    throw InvalidInput(fmt::format(
        "data: {} holds {} values that do not fit {}, which the model's input takes; fix "
        "the values or change the model's input type",
        description, to_string(tensor.type()), to_string(type)));
  }
  return converted;
}

}  // namespace quantsearch
