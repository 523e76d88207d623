#include "quantsearch/tensor.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

namespace quantsearch {

namespace {

struct TypeInfo {
  const char* name;
  int bits;
};

// Indexed by DataType.
constexpr TypeInfo kTypes[] = {
    {"undefined", 0},      {"float32", 32},     {"uint8", 8},          {"int8", 8},
    {"uint16", 16},        {"int16", 16},       {"int32", 32},         {"int64", 64},
    {"string", 0},         {"boolean", 8},      {"float16", 16},       {"float64", 64},
    {"uint32", 32},        {"uint64", 64},      {"complex64", 64},     {"complex128", 128},
    {"bfloat16", 16},      {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},        {"int4", 4},           {"float4e2m1", 4},
    {"float8e8m0", 8},     {"uint2", 2},        {"int2", 2},
};

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector register

std::shared_ptr<std::byte> allocate(std::size_t bytes) {
  auto* const memory = static_cast<std::byte*>(
      ::operator new (std::max<std::size_t>(bytes, 1), std::align_val_t{kAlignment}));
  return {memory,
          [](std::byte* freed) { ::operator delete (freed, std::align_val_t{kAlignment}); }};
}

}  // namespace

std::string to_string(DataType type) {
  const auto number = static_cast<std::size_t>(type);
  if (number >= std::size(kTypes)) return fmt::format("type {}", static_cast<int>(type));
  return kTypes[number].name;
}

int bits_of(DataType type) {
  const auto number = static_cast<std::size_t>(type);
  return number < std::size(kTypes) ? kTypes[number].bits : 0;
}

bool is_floating(DataType type) {
  return type == DataType::float32 || type == DataType::float16 || type == DataType::bfloat16 ||
         type == DataType::float64;
}

bool is_integer(DataType type) {
  switch (type) {
    case DataType::uint8:
    case DataType::int8:
    case DataType::uint16:
    case DataType::int16:
    case DataType::int32:
    case DataType::int64:
    case DataType::uint32:
    case DataType::uint64:
    case DataType::uint4:
    case DataType::int4:
    case DataType::uint2:
    case DataType::int2:
      return true;
    case DataType::undefined:
    case DataType::float32:
    case DataType::string:
    case DataType::boolean:
    case DataType::float16:
    case DataType::float64:
    case DataType::complex64:
    case DataType::complex128:
    case DataType::bfloat16:
    case DataType::float8e4m3fn:
    case DataType::float8e4m3fnuz:
    case DataType::float8e5m2:
    case DataType::float8e5m2fnuz:
    case DataType::float4e2m1:
    case DataType::float8e8m0:
      return false;
  }
  return false;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0)
      throw InvalidInput(fmt::format("shape {} has a negative dimension", to_string(shape)));
    if (__builtin_mul_overflow(count, size, &count)) {
      throw InvalidInput(
          fmt::format("shape {} has more elements than 63 bits can count", to_string(shape)));
    }
  }
  return count;
}

std::int64_t byte_count(DataType type, const Shape& shape) {
  const std::int64_t count = element_count(shape);
  std::int64_t bits = 0;
  if (__builtin_mul_overflow(count, std::int64_t{bits_of(type)}, &bits) ||
      bits > std::numeric_limits<std::int64_t>::max() - 7) {
    throw InvalidInput(fmt::format("shape {} of {} has more bytes than 63 bits can count",
                                   to_string(shape), to_string(type)));
  }
  return (bits + 7) / 8;
}

Tensor::Tensor(DataType type, Shape shape)
    : type_(type), shape_(std::move(shape)), size_(element_count(shape_)), writable_(true) {
  const auto bytes = static_cast<std::size_t>(byte_count(type_, shape_));
  std::shared_ptr<std::byte> memory = allocate(bytes);
  std::memset(memory.get(), 0, bytes);
  bytes_ = {memory.get(), bytes};
  owner_ = std::move(memory);
}

Tensor Tensor::from_bytes(DataType type, Shape shape, std::span<const std::byte> bytes) {
  Tensor tensor = wrapping(type, std::move(shape), nullptr, bytes);
  tensor.detach();
  return tensor;
}

Tensor Tensor::wrapping(DataType type, Shape shape, std::shared_ptr<const void> owner,
                        std::span<const std::byte> bytes) {
  const std::int64_t expected = byte_count(type, shape);
  if (static_cast<std::int64_t>(bytes.size()) != expected) {
    throw InvalidInput(fmt::format("tensor {} {}: got {} bytes, expected {}", to_string(type),
                                   to_string(shape), bytes.size(), expected));
  }
  Tensor tensor;
  tensor.type_ = type;
  tensor.shape_ = std::move(shape);
  tensor.size_ = element_count(tensor.shape_);
  tensor.owner_ = std::move(owner);
  tensor.bytes_ = bytes;
  return tensor;
}

Tensor Tensor::of_strings(Shape shape, std::vector<std::string> values) {
  const std::int64_t expected = element_count(shape);
  if (static_cast<std::int64_t>(values.size()) != expected) {
    throw InvalidInput(fmt::format("tensor string {}: got {} strings, expected {}",
                                   to_string(shape), values.size(), expected));
  }
  Tensor tensor;
  tensor.type_ = DataType::string;
  tensor.shape_ = std::move(shape);
  tensor.size_ = expected;
  tensor.strings_ = std::make_shared<const std::vector<std::string>>(std::move(values));
  return tensor;
}

const std::vector<std::string>& Tensor::strings() const {
  require_type(DataType::string);
  return *strings_;
}

Tensor Tensor::reshaped(Shape shape) const {
  if (element_count(shape) != size_) {
    throw InvalidInput(
        fmt::format("tensor {} cannot take the shape {}", to_string(shape_), to_string(shape)));
  }
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::rows(std::int64_t first, std::int64_t count) const {
  if (shape_.empty() || first < 0 || count < 0 || first + count > shape_[0] ||
      bits_of(type_) % 8 != 0) {
    throw InternalError(fmt::format("rows {}..{} of a tensor {} {}", first, first + count,
                                    to_string(type_), to_string(shape_)));
  }
  Tensor result = *this;
  result.shape_[0] = count;
  result.size_ = element_count(result.shape_);
  if (type_ == DataType::string) {
    const auto begin = strings_->begin() + (shape_[0] == 0 ? 0 : size_ / shape_[0] * first);
    return of_strings(result.shape_, {begin, begin + result.size_});
  }
  const std::size_t row_bytes =
      shape_[0] == 0 ? 0 : bytes_.size() / static_cast<std::size_t>(shape_[0]);
  result.bytes_ = bytes_.subspan(row_bytes * static_cast<std::size_t>(first),
                                 row_bytes * static_cast<std::size_t>(count));
  return result;
}

bool Tensor::operator==(const Tensor& other) const {
  if (type_ != other.type_ || shape_ != other.shape_) return false;
  if (type_ == DataType::string) return *strings_ == *other.strings_;
  if (bytes_.data() == other.bytes_.data()) return true;
  return bytes_.empty() || std::memcmp(bytes_.data(), other.bytes_.data(), bytes_.size()) == 0;
}

void Tensor::require_type(DataType wanted) const {
  if (type_ != wanted) {
    throw InternalError(fmt::format("tensor {} {} read as {}", to_string(type_), to_string(shape_),
                                    to_string(wanted)));
  }
}

void Tensor::detach() {
  if (writable_ && owner_.use_count() == 1) return;
  std::shared_ptr<std::byte> memory = allocate(bytes_.size());
  if (!bytes_.empty()) std::memcpy(memory.get(), bytes_.data(), bytes_.size());
  bytes_ = {memory.get(), bytes_.size()};
  owner_ = std::move(memory);
  writable_ = true;
}

}  // namespace quantsearch
