#include "model/tensor_proto.h"

#include <fmt/core.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace quantsearch::model_io {

namespace {

/// The field in which the format stores the values of a type when they are not raw bytes.
enum class ValueField {
  float_data,
  int32_data,
  int64_data,
  double_data,
  uint64_data,
  string_data,
  none
};

ValueField value_field(DataType type) {
  switch (type) {
    case DataType::float32:
    case DataType::complex64:
      return ValueField::float_data;
    case DataType::float64:
    case DataType::complex128:
      return ValueField::double_data;
    case DataType::int64:
      return ValueField::int64_data;
    case DataType::uint32:
    case DataType::uint64:
      return ValueField::uint64_data;
    case DataType::string:
      return ValueField::string_data;
    case DataType::uint8:
    case DataType::int8:
    case DataType::uint16:
    case DataType::int16:
    case DataType::int32:
    case DataType::boolean:
    case DataType::float16:
    case DataType::bfloat16:
    case DataType::float8e4m3fn:
    case DataType::float8e4m3fnuz:
    case DataType::float8e5m2:
    case DataType::float8e5m2fnuz:
    case DataType::uint4:
    case DataType::int4:
    case DataType::float4e2m1:
    case DataType::float8e8m0:
    case DataType::uint2:
    case DataType::int2:
      return ValueField::int32_data;
    case DataType::undefined:
      return ValueField::none;
  }
  return ValueField::none;
}

const char* name_of(ValueField field) {
  switch (field) {
    case ValueField::float_data:
      return "float_data";
    case ValueField::int32_data:
      return "int32_data";
    case ValueField::int64_data:
      return "int64_data";
    case ValueField::double_data:
      return "double_data";
    case ValueField::uint64_data:
      return "uint64_data";
    case ValueField::string_data:
      return "string_data";
    case ValueField::none:
      return "no field";
  }
  return "no field";
}

/// A type, a shape and the text for them in messages.
struct Header {
  DataType type;
  Shape shape;
  [[nodiscard]] std::string text() const {
    return fmt::format("{} {}", to_string(type), to_string(shape));
  }
};

Header read_header(const onnx::TensorProto& proto, const std::string& what) {
  Header header{static_cast<DataType>(proto.data_type()),
                {proto.dims().begin(), proto.dims().end()}};
  if (header.type != DataType::string && bits_of(header.type) == 0) {
    throw InvalidInput(fmt::format("{}: unknown data type {}", what, proto.data_type()));
  }
  if (proto.has_segment())
    throw Unsupported(fmt::format("{}: tensors in segments are not supported", what));
  try {
    (void)element_count(header.shape);
    (void)byte_count(header.type, header.shape);
  } catch (const InvalidInput& error) {
    throw InvalidInput(fmt::format("{}: {}", what, error.what()));
  }
  return header;
}

/// The filled field; `none` when there are no values. Throws when there are two, or the type does
/// not use it.
ValueField filled_field(const onnx::TensorProto& proto, const Header& header,
                        const std::string& what) {
  const std::pair<ValueField, int> sizes[] = {{ValueField::float_data, proto.float_data_size()},
                                              {ValueField::int32_data, proto.int32_data_size()},
                                              {ValueField::int64_data, proto.int64_data_size()},
                                              {ValueField::double_data, proto.double_data_size()},
                                              {ValueField::uint64_data, proto.uint64_data_size()},
                                              {ValueField::string_data, proto.string_data_size()}};
  ValueField filled = ValueField::none;
  for (const auto& [field, size] : sizes) {
    if (size == 0) continue;
    if (field != value_field(header.type)) {
      throw InvalidInput(fmt::format("{}: its values are in {}, expected {} for {}", what,
                                     name_of(field), name_of(value_field(header.type)),
                                     header.text()));
    }
    filled = field;
  }
  if (filled != ValueField::none && !proto.raw_data().empty()) {
    throw InvalidInput(
        fmt::format("{}: its values are stored twice, in raw_data and {}", what, name_of(filled)));
  }
  return filled;
}

/// Converts each number of `field` to T (the format stores small types in 32-bit numbers).
template <typename T, typename Field>
Tensor packed(const Header& header, const Field& field, std::int64_t expected,
              const std::string& what) {
  if (field.size() != expected) {
    throw InvalidInput(fmt::format("{}: got {} values in {}, expected {} for {}", what,
                                   field.size(), name_of(value_field(header.type)), expected,
                                   header.text()));
  }
  if constexpr (std::is_same_v<typename Field::value_type, T>) {
    return Tensor::from_bytes(
        header.type, header.shape,
        std::as_bytes(std::span(field.data(), static_cast<std::size_t>(field.size()))));
  } else {
    std::vector<T> values;
    values.reserve(static_cast<std::size_t>(field.size()));
    for (const auto value : field) values.push_back(static_cast<T>(value));
    return Tensor::from_bytes(header.type, header.shape, std::as_bytes(std::span<const T>(values)));
  }
}

Tensor from_typed_field(const onnx::TensorProto& proto, const Header& header,
                        const std::string& what) {
  const std::int64_t count = element_count(header.shape);
  const int bits = bits_of(header.type);
  switch (value_field(header.type)) {
    case ValueField::float_data:
      return packed<float>(header, proto.float_data(), count * (bits / 32), what);
    case ValueField::double_data:
      return packed<double>(header, proto.double_data(), count * (bits / 64), what);
    case ValueField::int64_data:
      return packed<std::int64_t>(header, proto.int64_data(), count, what);
    case ValueField::uint64_data:
      if (bits == 32) return packed<std::uint32_t>(header, proto.uint64_data(), count, what);
      return packed<std::uint64_t>(header, proto.uint64_data(), count, what);
    case ValueField::int32_data:
      if (bits == 32) return packed<std::int32_t>(header, proto.int32_data(), count, what);
      if (bits == 16) return packed<std::uint16_t>(header, proto.int32_data(), count, what);
      // Types below a byte are packed into bytes first, then each byte into a number.
      return packed<std::uint8_t>(header, proto.int32_data(), byte_count(header.type, header.shape),
                                  what);
    case ValueField::string_data:
    case ValueField::none:
      break;
  }
  throw InternalError(fmt::format("{}: no typed field holds {}", what, header.text()));
}

Tensor from_strings(const onnx::TensorProto& proto, const Header& header, const std::string& what) {
  if (proto.has_raw_data())
    throw InvalidInput(fmt::format("{}: a string tensor cannot be stored as raw_data", what));
  const std::int64_t expected = element_count(header.shape);
  if (proto.string_data_size() != expected) {
    throw InvalidInput(fmt::format("{}: got {} values in string_data, expected {} for {}", what,
                                   proto.string_data_size(), expected, header.text()));
  }
  return Tensor::of_strings(header.shape, {proto.string_data().begin(), proto.string_data().end()});
}

Tensor from_raw_data(onnx::TensorProto& proto, const Header& header, const std::string& what) {
  const std::int64_t expected = byte_count(header.type, header.shape);
  if (static_cast<std::int64_t>(proto.raw_data().size()) != expected) {
    throw InvalidInput(fmt::format(
        "{}: got {} bytes of raw_data, expected {} for {}; fix its shape or export it again", what,
        proto.raw_data().size(), expected, header.text()));
  }
  // The string's heap block is aligned for every element type, so it can be kept as it is.
  const std::shared_ptr<const std::string> bytes(proto.has_raw_data() ? proto.release_raw_data()
                                                                      : new std::string);
  return Tensor::wrapping(header.type, header.shape, bytes,
                          std::as_bytes(std::span<const char>(*bytes)));
}

std::int64_t parse_number(const std::string& text, const char* key, const std::string& what) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) {
    throw InvalidInput(
        fmt::format("{}: external data {} is '{}', expected a number of bytes", what, key, text));
  }
  return number;
}

Tensor from_external(const onnx::TensorProto& proto, const Header& header, ExternalFiles& files,
                     const std::string& what) {
  if (header.type == DataType::string) {
    throw InvalidInput(
        fmt::format("{}: a string tensor cannot be stored in an external file", what));
  }
  ExternalSlice slice;
  for (const onnx::StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == "location") slice.location = entry.value();
    if (entry.key() == "offset") slice.offset = parse_number(entry.value(), "offset", what);
    if (entry.key() == "length") slice.length = parse_number(entry.value(), "length", what);
  }
  const MappedFile file = files.read(slice, byte_count(header.type, header.shape), what);
  const auto element_bytes = static_cast<std::uintptr_t>(std::max(bits_of(header.type) / 8, 1));
  if (reinterpret_cast<std::uintptr_t>(file.bytes.data()) % element_bytes != 0) {
    // The writer of the file did not align its tensors.
    return Tensor::from_bytes(header.type, header.shape, file.bytes);
  }
  return Tensor::wrapping(header.type, header.shape, file.owner, file.bytes);
}

Tensor read_values(onnx::TensorProto& proto, ExternalFiles& files, const std::string& what) {
  const Header header = read_header(proto, what);
  if (proto.data_location() == onnx::TensorProto::EXTERNAL)
    return from_external(proto, header, files, what);
  const ValueField field = filled_field(proto, header, what);
  if (header.type == DataType::string) return from_strings(proto, header, what);
  if (field != ValueField::none) return from_typed_field(proto, header, what);
  return from_raw_data(proto, header, what);
}

}  // namespace

Tensor take_tensor(onnx::TensorProto& proto, ExternalFiles& files, const std::string& what) {
  Tensor tensor = read_values(proto, files, what);
  proto.clear_data_type();
  proto.clear_dims();
  proto.clear_raw_data();
  proto.clear_float_data();
  proto.clear_int32_data();
  proto.clear_int64_data();
  proto.clear_double_data();
  proto.clear_uint64_data();
  proto.clear_string_data();
  proto.clear_external_data();
  proto.clear_data_location();
  return tensor;
}

void put_tensor_header(const Tensor& tensor, onnx::TensorProto& proto) {
  proto.set_data_type(static_cast<int>(tensor.type()));
  for (const std::int64_t size : tensor.shape()) proto.add_dims(size);
  if (tensor.type() != DataType::string) return;
  for (const std::string& text : tensor.strings()) proto.add_string_data(text);
}

void put_raw_data(const Tensor& tensor, onnx::TensorProto& proto) {
  if (tensor.type() == DataType::string) return;
  proto.set_raw_data(tensor.bytes().data(), tensor.bytes().size());
}

}  // namespace quantsearch::model_io
