#pragma once

// Tensors as values: a type, a shape and shared bytes. Copying a Tensor shares its bytes; writing
// detaches it first.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "quantsearch/base/error.h"

namespace quantsearch {

/// Element types with ONNX's own numbers (onnx.TensorProto.DataType).
enum class DataType {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
  float8e4m3fn = 17,
  float8e4m3fnuz = 18,
  float8e5m2 = 19,
  float8e5m2fnuz = 20,
  uint4 = 21,
  int4 = 22,
  float4e2m1 = 23,
  float8e8m0 = 24,
  uint2 = 25,
  int2 = 26,
};

/// "float32", "int8", …; "type 99" for a number this version does not know.
[[nodiscard]] std::string to_string(DataType type);
/// Bits of one element; 0 for string and unknown types.
[[nodiscard]] int bits_of(DataType type);
[[nodiscard]] bool is_floating(DataType type);  // float16, bfloat16, float32, float64
[[nodiscard]] bool is_integer(DataType type);   // int2 … uint64, not boolean

using Shape = std::vector<std::int64_t>;

/// "[1, 3, 224, 224]"; "[]" for a scalar.
[[nodiscard]] std::string to_string(const Shape& shape);
/// Product of the dimensions, 1 for a scalar. Throws InvalidInput on a negative dimension or
/// overflow of 63 bits.
[[nodiscard]] std::int64_t element_count(const Shape& shape);
/// Bytes of the packed elements: sub-byte types share bytes, low bits first, as ONNX packs them.
/// Throws InvalidInput as element_count() does.
[[nodiscard]] std::int64_t byte_count(DataType type, const Shape& shape);

/// IEEE half and bfloat16 as raw 16 bits, distinct from uint16 for the type system.
struct Float16 {
  std::uint16_t bits = 0;
  bool operator==(const Float16&) const = default;
};
struct BFloat16 {
  std::uint16_t bits = 0;
  bool operator==(const BFloat16&) const = default;
};
[[nodiscard]] float to_float(Float16 value);
[[nodiscard]] float to_float(BFloat16 value);
/// Round half to even; overflow becomes infinity; NaN stays NaN.
[[nodiscard]] Float16 to_float16(float value);
[[nodiscard]] BFloat16 to_bfloat16(float value);

/// DataType of a C++ element type; `boolean` for bool.
template <typename T>
constexpr DataType data_type_of();

template <typename T>
concept Element = requires {
  data_type_of<T>();
};

class Tensor {
 public:
  /// Undefined type, shape [0]; is_defined() is false.
  Tensor() = default;
  /// Zero-filled, owned, 64-byte aligned. Not for strings.
  Tensor(DataType type, Shape shape);

  template <typename T>
  [[nodiscard]] static Tensor of(Shape shape, std::span<const T> values);
  template <typename T>
  [[nodiscard]] static Tensor of(Shape shape, const std::vector<T>& values) {
    return of<T>(std::move(shape), std::span<const T>(values));
  }
  template <typename T>
  [[nodiscard]] static Tensor scalar(T value) {
    return of<T>({}, std::span<const T>(&value, 1));
  }
  /// Copies packed bytes. Throws InvalidInput when their number is not byte_count(type, shape).
  [[nodiscard]] static Tensor from_bytes(DataType type, Shape shape,
                                         std::span<const std::byte> bytes);
  /// Shares the bytes, which `owner` keeps alive (a file map, a runtime's buffer), without a copy.
  /// Throws as from_bytes() does.
  [[nodiscard]] static Tensor wrapping(DataType type, Shape shape,
                                       std::shared_ptr<const void> owner,
                                       std::span<const std::byte> bytes);
  /// Throws InvalidInput when the number of strings is not element_count(shape).
  [[nodiscard]] static Tensor of_strings(Shape shape, std::vector<std::string> values);

  [[nodiscard]] bool is_defined() const noexcept { return type_ != DataType::undefined; }
  [[nodiscard]] DataType type() const noexcept { return type_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  /// Empty for strings.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// Throws InternalError when T is not the element type.
  template <typename T>
  [[nodiscard]] std::span<const T> values() const;
  /// Copies the bytes first when they are shared or borrowed.
  template <typename T>
  [[nodiscard]] std::span<T> mutable_values();
  [[nodiscard]] const std::vector<std::string>& strings() const;

  /// The same bytes under another shape of the same element count; throws InvalidInput otherwise.
  [[nodiscard]] Tensor reshaped(Shape shape) const;
  /// Rows [first, first + count) of the first axis. Shares the bytes; strings are copied. Throws
  /// InternalError for rows that do not exist and for sub-byte types.
  [[nodiscard]] Tensor rows(std::int64_t first, std::int64_t count) const;

  /// Same type, shape and bits (so NaN equals the same NaN).
  bool operator==(const Tensor& other) const;

 private:
  void require_type(DataType wanted) const;
  void detach();

  DataType type_ = DataType::undefined;
  Shape shape_ = {0};
  std::int64_t size_ = 0;
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
  bool writable_ = false;  // owner_ is our own buffer
  std::shared_ptr<const std::vector<std::string>> strings_;
};

/// convert() to float32.
[[nodiscard]] Tensor to_float32(const Tensor& tensor);
/// Elements converted to `type`, from and to the floating, integer and boolean types. A tensor that
/// has the type already shares its bytes. Integers are rounded half to even and saturate; NaN
/// becomes 0. Throws Unsupported for strings, complex numbers, float8 and float4.
[[nodiscard]] Tensor convert(const Tensor& tensor, DataType type);
/// Every element as int64 (integers and boolean); throws InvalidInput for other types.
[[nodiscard]] std::vector<std::int64_t> to_int64s(const Tensor& tensor);
/// Concatenation along the first axis of tensors with equal type and trailing dimensions. Throws
/// InvalidInput for others, for scalars, strings and sub-byte types, and for no tensor at all.
[[nodiscard]] Tensor concatenate_rows(std::span<const Tensor> parts);

/// Count of NaN and of infinite elements (0, 0 for non-floating types).
struct NonFinite {
  std::int64_t nan = 0;
  std::int64_t infinite = 0;
};
[[nodiscard]] NonFinite count_non_finite(const Tensor& tensor);

template <typename T>
constexpr DataType data_type_of() {
  if constexpr (std::is_same_v<T, float>)
    return DataType::float32;
  else if constexpr (std::is_same_v<T, double>)
    return DataType::float64;
  else if constexpr (std::is_same_v<T, Float16>)
    return DataType::float16;
  else if constexpr (std::is_same_v<T, BFloat16>)
    return DataType::bfloat16;
  else if constexpr (std::is_same_v<T, bool>)
    return DataType::boolean;
  else if constexpr (std::is_same_v<T, std::int8_t>)
    return DataType::int8;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return DataType::uint8;
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return DataType::int16;
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return DataType::uint16;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return DataType::int32;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return DataType::uint32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return DataType::int64;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return DataType::uint64;
  else
    static_assert(!sizeof(T), "not an element type");
}

template <typename T>
// NOLINTNEXTLINE(performance-unnecessary-value-param): clang 14 misses the move in a template
Tensor Tensor::of(Shape shape, std::span<const T> values) {
  return from_bytes(data_type_of<T>(), std::move(shape), std::as_bytes(values));
}

template <typename T>
std::span<const T> Tensor::values() const {
  require_type(data_type_of<T>());
  return {reinterpret_cast<const T*>(bytes_.data()), static_cast<std::size_t>(size_)};
}

template <typename T>
std::span<T> Tensor::mutable_values() {
  require_type(data_type_of<T>());
  detach();
  return {const_cast<T*>(reinterpret_cast<const T*>(bytes_.data())),
          static_cast<std::size_t>(size_)};
}

}  // namespace quantsearch
