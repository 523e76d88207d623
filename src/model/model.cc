#include "quantsearch/model.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>

namespace quantsearch {

namespace {

/// Compares bits, so that a NaN equals itself.
bool same_bits(float left, float right) {
  return std::bit_cast<std::uint32_t>(left) == std::bit_cast<std::uint32_t>(right);
}

template <typename T>
const T& attribute_as(const Node& node, const Attribute& attribute, const char* kind) {
  const T* const value = std::get_if<T>(&attribute.value);
  if (value == nullptr) {
    throw InvalidInput(fmt::format("attribute '{}' of {} '{}' is not of type {}", attribute.name,
                                   node.op_type, node.name, kind));
  }
  return *value;
}

}  // namespace

bool Attribute::operator==(const Attribute& other) const {
  if (name != other.name || value.index() != other.value.index()) return false;
  if (const auto* graph = std::get_if<std::shared_ptr<const Graph>>(&value)) {
    const auto& other_graph = std::get<std::shared_ptr<const Graph>>(other.value);
    return *graph == other_graph || (*graph && other_graph && **graph == *other_graph);
  }
  if (const auto* number = std::get_if<float>(&value))
    return same_bits(*number, std::get<float>(other.value));
  if (const auto* numbers = std::get_if<std::vector<float>>(&value)) {
    return std::ranges::equal(*numbers, std::get<std::vector<float>>(other.value), same_bits);
  }
  return value == other.value;
}

const Attribute* Node::find_attribute(std::string_view attribute) const {
  const auto found = std::ranges::find(attributes, attribute, &Attribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

std::int64_t Node::int_attribute(std::string_view attribute, std::int64_t fallback) const {
  const Attribute* const found = find_attribute(attribute);
  return found == nullptr ? fallback : attribute_as<std::int64_t>(*this, *found, "int");
}

float Node::float_attribute(std::string_view attribute, float fallback) const {
  const Attribute* const found = find_attribute(attribute);
  return found == nullptr ? fallback : attribute_as<float>(*this, *found, "float");
}

std::string Node::string_attribute(std::string_view attribute, std::string fallback) const {
  const Attribute* const found = find_attribute(attribute);
  if (found == nullptr) return fallback;
  return attribute_as<std::string>(*this, *found, "string");
}

std::vector<std::int64_t> Node::ints_attribute(std::string_view attribute,
                                               std::vector<std::int64_t> fallback) const {
  const Attribute* const found = find_attribute(attribute);
  if (found == nullptr) return fallback;
  return attribute_as<std::vector<std::int64_t>>(*this, *found, "ints");
}

void Node::set_attribute(std::string attribute, Attribute::Payload value) {
  const auto found = std::ranges::find(attributes, attribute, &Attribute::name);
  if (found != attributes.end()) {
    found->value = std::move(value);
    return;
  }
  attributes.push_back({.name = std::move(attribute), .value = std::move(value)});
}

void Node::remove_attribute(std::string_view attribute) {
  std::erase_if(attributes,
                [attribute](const Attribute& candidate) { return candidate.name == attribute; });
}

std::string_view Node::input(std::size_t index) const {
  return index < inputs.size() ? std::string_view(inputs[index]) : std::string_view();
}

std::string to_string(const ValueInfo& value) {
  if (value.type == DataType::undefined)
    return value.extra.empty() ? "unknown type" : "not a tensor";
  if (!value.dimensions) return fmt::format("{} of unknown rank", to_string(value.type));
  std::vector<std::string> sizes;
  for (const Dimension& dimension : *value.dimensions) {
    if (dimension.size) {
      sizes.push_back(fmt::format("{}", *dimension.size));
    } else {
      sizes.push_back(dimension.symbol.empty() ? "?" : dimension.symbol);
    }
  }
  return fmt::format("{} [{}]", to_string(value.type), fmt::join(sizes, ", "));
}

bool Initializer::operator==(const Initializer& other) const {
  if (name != other.name) return false;
  return tensor == other.tensor || (tensor && other.tensor && *tensor == *other.tensor);
}

const Tensor* Graph::find_initializer(std::string_view wanted) const {
  const auto found = std::ranges::find(initializers, wanted, &Initializer::name);
  return found == initializers.end() ? nullptr : found->tensor.get();
}

const ValueInfo* Graph::find_value(std::string_view wanted) const {
  for (const std::vector<ValueInfo>* list : {&inputs, &outputs, &values}) {
    const auto found = std::ranges::find(*list, wanted, &ValueInfo::name);
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

std::int64_t Model::opset() const {
  const auto found = opsets.find("");
  return found == opsets.end() ? 0 : found->second;
}

}  // namespace quantsearch
