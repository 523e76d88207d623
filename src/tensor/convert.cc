#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "quantsearch/tensor.h"

namespace quantsearch {

namespace {

/// Reads element `index` of a packed 4-bit or 2-bit tensor; low bits come first.
std::int64_t read_packed(const Tensor& tensor, std::int64_t index) {
  const int bits = bits_of(tensor.type());
  const std::int64_t per_byte = 8 / bits;
  const auto byte =
      std::to_integer<unsigned>(tensor.bytes()[static_cast<std::size_t>(index / per_byte)]);
  const unsigned field =
      (byte >> (static_cast<unsigned>(index % per_byte) * static_cast<unsigned>(bits))) &
      ((1U << bits) - 1);
  const bool is_signed = tensor.type() == DataType::int4 || tensor.type() == DataType::int2;
  const bool negative = is_signed && (field >> (bits - 1)) != 0;
  return negative ? static_cast<std::int64_t>(field) - (std::int64_t{1} << bits)
                  : static_cast<std::int64_t>(field);
}

/// Calls visit(std::span<const T>) for the element type of `tensor`.
template <typename Visit>
void visit_elements(const Tensor& tensor, const Visit& visit) {
  switch (tensor.type()) {
    case DataType::float32:
      return visit(tensor.values<float>());
    case DataType::float64:
      return visit(tensor.values<double>());
    case DataType::float16:
      return visit(tensor.values<Float16>());
    case DataType::bfloat16:
      return visit(tensor.values<BFloat16>());
    case DataType::boolean:
      return visit(tensor.values<bool>());
    case DataType::int8:
      return visit(tensor.values<std::int8_t>());
    case DataType::uint8:
      return visit(tensor.values<std::uint8_t>());
    case DataType::int16:
      return visit(tensor.values<std::int16_t>());
    case DataType::uint16:
      return visit(tensor.values<std::uint16_t>());
    case DataType::int32:
      return visit(tensor.values<std::int32_t>());
    case DataType::uint32:
      return visit(tensor.values<std::uint32_t>());
    case DataType::int64:
      return visit(tensor.values<std::int64_t>());
    case DataType::uint64:
      return visit(tensor.values<std::uint64_t>());
    case DataType::int4:
    case DataType::uint4:
    case DataType::int2:
    case DataType::uint2: {
      std::vector<std::int64_t> unpacked(static_cast<std::size_t>(tensor.size()));
      for (std::size_t i = 0; i < unpacked.size(); ++i)
        unpacked[i] = read_packed(tensor, static_cast<std::int64_t>(i));
      return visit(std::span<const std::int64_t>(unpacked));
    }
    case DataType::undefined:
    case DataType::string:
    case DataType::complex64:
    case DataType::complex128:
    case DataType::float8e4m3fn:
    case DataType::float8e4m3fnuz:
    case DataType::float8e5m2:
    case DataType::float8e5m2fnuz:
    case DataType::float4e2m1:
    case DataType::float8e8m0:
      throw Unsupported(
          fmt::format("tensor: {} elements cannot be converted", to_string(tensor.type())));
  }
  throw Unsupported(
      fmt::format("tensor: {} elements cannot be converted", to_string(tensor.type())));
}

template <typename From, typename To>
To cast(From value) {
  if constexpr (std::is_same_v<From, Float16> || std::is_same_v<From, BFloat16>) {
    return cast<float, To>(to_float(value));
  } else if constexpr (std::is_same_v<To, Float16>) {
    return to_float16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return to_bfloat16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{};
  } else if constexpr (std::is_floating_point_v<To> || std::is_same_v<From, bool>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_floating_point_v<From>) {
    // Round half to even, saturate; NaN becomes 0.
    if (std::isnan(value)) return 0;
    const double rounded = std::nearbyint(static_cast<double>(value));
    if (rounded <= static_cast<double>(std::numeric_limits<To>::min()))
      return std::numeric_limits<To>::min();
    if (rounded >= static_cast<double>(std::numeric_limits<To>::max()))
      return std::numeric_limits<To>::max();
    return static_cast<To>(rounded);
  } else {
    if (std::cmp_less(value, std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (std::cmp_greater(value, std::numeric_limits<To>::max()))
      return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  }
}

template <typename To>
Tensor convert_elements(const Tensor& tensor) {
  Tensor result(data_type_of<To>(), tensor.shape());
  const std::span<To> out = result.mutable_values<To>();
  visit_elements(tensor, [&](auto values) {
    using From = typename decltype(values)::value_type;
    std::ranges::transform(values, out.begin(), [](From value) { return cast<From, To>(value); });
  });
  return result;
}

/// Clamps int8 values to the range of `type` and packs them, low bits first.
Tensor pack(const Tensor& wide, DataType type) {
  const int bits = bits_of(type);
  const bool is_signed = type == DataType::int4 || type == DataType::int2;
  const int low = is_signed ? -(1 << (bits - 1)) : 0;
  const int high = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  const int per_byte = 8 / bits;
  std::vector<std::byte> bytes(static_cast<std::size_t>(byte_count(type, wide.shape())));
  const std::span<const std::int8_t> values = wide.values<std::int8_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto field =
        static_cast<unsigned>(std::clamp<int>(values[i], low, high)) & ((1U << bits) - 1);
    const unsigned shift =
        static_cast<unsigned>(i % static_cast<std::size_t>(per_byte)) * static_cast<unsigned>(bits);
    bytes[i / static_cast<std::size_t>(per_byte)] |= std::byte(field << shift);
  }
  return Tensor::from_bytes(type, wide.shape(), bytes);
}

template <typename T>
NonFinite count_in(std::span<const T> values) {
  NonFinite counts;
  for (const T value : values) {
    const double number = cast<T, double>(value);
    counts.nan += std::isnan(number) ? 1 : 0;
    counts.infinite += std::isinf(number) ? 1 : 0;
  }
  return counts;
}

}  // namespace

Tensor convert(const Tensor& tensor, DataType type) {
  if (tensor.type() == type) return tensor;
  switch (type) {
    case DataType::float32:
      return convert_elements<float>(tensor);
    case DataType::float64:
      return convert_elements<double>(tensor);
    case DataType::float16:
      return convert_elements<Float16>(tensor);
    case DataType::bfloat16:
      return convert_elements<BFloat16>(tensor);
    case DataType::boolean:
      return convert_elements<bool>(tensor);
    case DataType::int8:
      return convert_elements<std::int8_t>(tensor);
    case DataType::uint8:
      return convert_elements<std::uint8_t>(tensor);
    case DataType::int16:
      return convert_elements<std::int16_t>(tensor);
    case DataType::uint16:
      return convert_elements<std::uint16_t>(tensor);
    case DataType::int32:
      return convert_elements<std::int32_t>(tensor);
    case DataType::uint32:
      return convert_elements<std::uint32_t>(tensor);
    case DataType::int64:
      return convert_elements<std::int64_t>(tensor);
    case DataType::uint64:
      return convert_elements<std::uint64_t>(tensor);
    case DataType::int4:
    case DataType::uint4:
    case DataType::int2:
    case DataType::uint2:
      return pack(convert_elements<std::int8_t>(tensor), type);
    case DataType::undefined:
    case DataType::string:
    case DataType::complex64:
    case DataType::complex128:
    case DataType::float8e4m3fn:
    case DataType::float8e4m3fnuz:
    case DataType::float8e5m2:
    case DataType::float8e5m2fnuz:
    case DataType::float4e2m1:
    case DataType::float8e8m0:
      break;
  }
  throw Unsupported(fmt::format("tensor: conversion from {} to {} is not supported",
                                to_string(tensor.type()), to_string(type)));
}

Tensor to_float32(const Tensor& tensor) { return convert(tensor, DataType::float32); }

std::vector<std::int64_t> to_int64s(const Tensor& tensor) {
  if (!is_integer(tensor.type()) && tensor.type() != DataType::boolean) {
    throw InvalidInput(
        fmt::format("tensor: got {} elements, expected integers", to_string(tensor.type())));
  }
  const Tensor wide = convert(tensor, DataType::int64);
  const std::span<const std::int64_t> values = wide.values<std::int64_t>();
  return {values.begin(), values.end()};
}

Tensor concatenate_rows(std::span<const Tensor> parts) {
  if (parts.empty()) throw InvalidInput("tensor: nothing to concatenate");
  if (parts.size() == 1) return parts[0];
  Shape shape = parts[0].shape();
  if (shape.empty()) throw InvalidInput("tensor: scalars have no first axis to concatenate along");
  std::vector<std::byte> bytes;
  shape[0] = 0;
  for (const Tensor& part : parts) {
    Shape expected = shape;
    if (!part.shape().empty()) expected[0] = part.shape()[0];
    if (part.type() != parts[0].type() || part.shape() != expected ||
        bits_of(part.type()) % 8 != 0 || bits_of(part.type()) == 0) {
      throw InvalidInput(fmt::format("tensor: {} {} and {} {} cannot be concatenated",
                                     to_string(parts[0].type()), to_string(parts[0].shape()),
                                     to_string(part.type()), to_string(part.shape())));
    }
    shape[0] += part.shape()[0];
    bytes.insert(bytes.end(), part.bytes().begin(), part.bytes().end());
  }
  return Tensor::from_bytes(parts[0].type(), std::move(shape), bytes);
}

NonFinite count_non_finite(const Tensor& tensor) {
  switch (tensor.type()) {
    case DataType::float32: {
      // The common case is vectorised: a value is NaN or infinite when all its exponent bits are
      // set. The elements are counted only when there is such a value.
      const std::span<const float> values = tensor.values<float>();
      std::uint32_t largest = 0;
      for (const float value : values) {
        largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffU);
      }
      return largest < 0x7f800000U ? NonFinite{} : count_in(values);
    }
    case DataType::float64:
      return count_in(tensor.values<double>());
    case DataType::float16:
      return count_in(tensor.values<Float16>());
    case DataType::bfloat16:
      return count_in(tensor.values<BFloat16>());
    default:
      return {};
  }
}

}  // namespace quantsearch
