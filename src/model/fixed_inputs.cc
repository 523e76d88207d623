#include "quantsearch/model/fixed_inputs.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

std::string without_name(ValueInfo input) {
  input.name.clear();
  return to_string(input);
}

[[noreturn]] void refuse(const ValueInfo& input, const Value& value, const std::string& expected) {
  throw InvalidInput(fmt::format("fixed_inputs: input '{}' takes {}, got {}, expected {}",
                                 input.name, without_name(input), to_json(value), expected));
}

/// The numbers of nested lists in order, and how the lists are nested.
struct Flat {
  Shape shape;
  std::vector<Value> leaves;
};

void flatten(const ValueInfo& input, const Value& whole, const Value& part, std::size_t depth,
             Flat& flat) {
  if (!part.is_list()) {
    if (depth != flat.shape.size()) refuse(input, whole, "lists of equal length");
    flat.leaves.push_back(part);
    return;
  }
  const auto length = static_cast<std::int64_t>(part.as_list().size());
  if (flat.leaves.empty() && depth == flat.shape.size()) flat.shape.push_back(length);
  if (depth >= flat.shape.size() || flat.shape[depth] != length)
    refuse(input, whole, "lists of equal length");
  for (const Value& inner : part.as_list()) flatten(input, whole, inner, depth + 1, flat);
}

bool is_fixed(const Dimension& dimension) { return dimension.size && *dimension.size >= 0; }

/// A single value fills an input of any fixed size; lists must have its dimensions.
void fit_shape(const ValueInfo& input, const Value& value, Flat& flat) {
  if (!input.dimensions) return;
  const std::vector<Dimension>& wanted = *input.dimensions;
  if (flat.shape.empty() && !wanted.empty()) {
    if (!std::ranges::all_of(wanted, is_fixed))
      refuse(input, value, fmt::format("lists nested {} deep", wanted.size()));
    for (const Dimension& dimension : wanted) flat.shape.push_back(*dimension.size);
    flat.leaves.assign(static_cast<std::size_t>(element_count(flat.shape)), value);
    return;
  }
  const bool fits = std::ranges::equal(wanted, flat.shape, [](const Dimension& at, std::int64_t n) {
    return !is_fixed(at) || *at.size == n;
  });
  if (!fits)
    refuse(input, value, fmt::format("lists of its dimensions, not {}", to_string(flat.shape)));
}

Tensor integers_of(const ValueInfo& input, const Value& value, const Flat& flat) {
  std::vector<std::int64_t> numbers;
  for (const Value& leaf : flat.leaves) {
    try {
      numbers.push_back(leaf.as_int());
    } catch (const InvalidInput&) {
      refuse(input, value, "whole numbers");
    }
  }
  const Tensor wide = Tensor::of<std::int64_t>(flat.shape, numbers);
  Tensor narrow = convert(wide, input.type);
  if (to_int64s(narrow) != numbers)
    refuse(input, value, fmt::format("whole numbers in the range of {}", to_string(input.type)));
  return narrow;
}

Tensor floats_of(const ValueInfo& input, const Value& value, const Flat& flat) {
  std::vector<double> numbers;
  for (const Value& leaf : flat.leaves) {
    if (!leaf.is_number()) refuse(input, value, "numbers");
    numbers.push_back(leaf.as_double());
  }
  Tensor converted = convert(Tensor::of<double>(flat.shape, numbers), input.type);
  const NonFinite bad = count_non_finite(converted);
  if (bad.nan + bad.infinite > 0)
    refuse(input, value, fmt::format("finite numbers in the range of {}", to_string(input.type)));
  return converted;
}

Tensor booleans_of(const ValueInfo& input, const Value& value, const Flat& flat) {
  Tensor tensor(DataType::boolean, flat.shape);
  const std::span<bool> values = tensor.mutable_values<bool>();
  for (std::size_t index = 0; index < flat.leaves.size(); ++index) {
    if (!flat.leaves[index].is_bool()) refuse(input, value, "true or false");
    values[index] = flat.leaves[index].as_bool();
  }
  return tensor;
}

Tensor strings_of(const ValueInfo& input, const Value& value, const Flat& flat) {
  std::vector<std::string> texts;
  for (const Value& leaf : flat.leaves) {
    if (!leaf.is_string()) refuse(input, value, "text");
    texts.push_back(leaf.as_string());
  }
  return Tensor::of_strings(flat.shape, std::move(texts));
}

Tensor tensor_of(const ValueInfo& input, const Value& value) {
  if (input.type == DataType::undefined) {
    throw Unsupported(
        fmt::format("fixed_inputs: input '{}' is not a tensor, expected one; leave it as an input",
                    input.name));
  }
  Flat flat;
  flatten(input, value, value, 0, flat);
  fit_shape(input, value, flat);
  if (input.type == DataType::boolean) return booleans_of(input, value, flat);
  if (input.type == DataType::string) return strings_of(input, value, flat);
  if (is_floating(input.type)) return floats_of(input, value, flat);
  if (is_integer(input.type)) return integers_of(input, value, flat);
  throw Unsupported(
      fmt::format("fixed_inputs: input '{}' is {}, expected numbers, booleans or text; "
                  "leave it as an input",
                  input.name, to_string(input.type)));
}

/// IR version from which an initializer need not be a graph input.
constexpr std::int64_t kFreeInitializers = 4;

}  // namespace

Model fix_inputs(Model model, const FixedInputs& fixed) {
  Graph& graph = model.graph;
  std::vector<std::string> known;
  for (const ValueInfo& input : graph.inputs) known.push_back(input.name);
  for (const auto& [key, value] : fixed) {
    const std::string& name = key;  // clang 14 captures no structured binding
    const auto input = std::ranges::find(graph.inputs, name, &ValueInfo::name);
    if (input == graph.inputs.end())
      throw InvalidInput("fixed_inputs: " + unknown_name_message("input", name, known));
    auto tensor = std::make_shared<const Tensor>(tensor_of(*input, value));
    std::erase_if(graph.initializers,  // the default that a caller may override
                  [&](const Initializer& initializer) { return initializer.name == name; });
    graph.initializers.push_back({.name = name, .tensor = std::move(tensor)});
    graph.inputs.erase(input);
  }
  if (!fixed.empty()) model.ir_version = std::max(model.ir_version, kFreeInitializers);
  return model;
}

}  // namespace quantsearch
