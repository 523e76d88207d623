#include <fmt/core.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <limits>

#include "model/proto_write.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/model.h"

namespace quantsearch {

namespace {

/// protobuf's limit for a message.
constexpr std::int64_t kMaximumProtoBytes = std::numeric_limits<std::int32_t>::max();
/// From this many weight bytes on, the file size is computed with external data; a protobuf message
/// ends at 2^31 bytes.
constexpr std::int64_t kExternalFrom = 2'000'000'000;
/// Below this a tensor stays in the model file, as in the onnx package: shapes and axes must be
/// readable without the second file.
constexpr std::int64_t kMinimumExternalBytes = 1024;
/// Alignment of tensors in the data file: a cache line, and a page for tensors that are large
/// enough to be mapped alone (ONNX Runtime asks for pages from 1 MB on).
constexpr std::int64_t kSmallAlignment = 64;
constexpr std::int64_t kPageAlignment = 4096;
constexpr std::int64_t kPageAlignedBytes = std::int64_t{1} << 20;

std::int64_t bytes_of(const Tensor& tensor) {
  return static_cast<std::int64_t>(tensor.bytes().size());
}

void set_external(onnx::TensorProto& proto, const std::string& location, std::int64_t offset,
                  std::int64_t length) {
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&proto](const char* key, const std::string& value) {
    onnx::StringStringEntryProto& entry = *proto.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  add("location", location);
  add("offset", fmt::format("{}", offset));
  add("length", fmt::format("{}", length));
}

std::string serialize(const onnx::ModelProto& proto) {
  const std::size_t bytes = proto.ByteSizeLong();
  if (bytes > static_cast<std::size_t>(kMaximumProtoBytes)) {
    throw InvalidInput(fmt::format(
        "save: the model needs {} bytes, but protobuf ends at {}; save it with external data",
        bytes, kMaximumProtoBytes));
  }
  return proto.SerializeAsString();
}

/// The position of a tensor in the data file.
struct Placement {
  const Tensor* tensor;
  std::int64_t offset;
};

/// The model's proto, which refers to the data file for its large initializers.
struct ExternalModel {
  std::string proto;
  std::vector<Placement> placements;  // in the order in which they are written
};

ExternalModel place_externally(const Model& model, const std::string& location) {
  ExternalModel result;
  std::int64_t end = 0;
  const auto place = [&](const Tensor& tensor, model_io::TensorRole role,
                         onnx::TensorProto& proto) {
    const std::int64_t bytes = bytes_of(tensor);
    if (role == model_io::TensorRole::attribute || bytes < kMinimumExternalBytes) {
      model_io::store_inline(tensor, role, proto);
      return;
    }
    const std::int64_t alignment = bytes >= kPageAlignedBytes ? kPageAlignment : kSmallAlignment;
    const std::int64_t offset = (end + alignment - 1) / alignment * alignment;
    set_external(proto, location, offset, bytes);
    result.placements.push_back({.tensor = &tensor, .offset = offset});
    end = offset + bytes;
  };
  result.proto = serialize(model_io::write_model(model, place));
  return result;
}

void write_placements(const std::vector<Placement>& placements, std::ostream& stream) {
  std::int64_t written = 0;
  for (const Placement& placement : placements) {
    const std::string padding(static_cast<std::size_t>(placement.offset - written), '\0');
    stream.write(padding.data(), static_cast<std::streamsize>(padding.size()));
    stream.write(reinterpret_cast<const char*>(placement.tensor->bytes().data()),
                 bytes_of(*placement.tensor));
    written = placement.offset + bytes_of(*placement.tensor);
  }
}

void save_externally(const Model& model, const std::filesystem::path& written) {
  // Readers look for the data beside the model, so both are written beside the target of a link.
  const std::filesystem::path file = file_to_write(written);
  std::filesystem::path data_file = file;
  data_file += ".data";
  const ExternalModel external = place_externally(model, data_file.filename().string());
  // The temporary file of the model is complete before the data file is renamed, and the model is
  // renamed last, so a reader that sees the new model also sees its data.
  write_file_atomically(file, [&](std::ostream& stream) {
    stream.write(external.proto.data(), static_cast<std::streamsize>(external.proto.size()));
    stream.flush();
    if (!stream) return;  // write_file_atomically reports it; the old data file stays
    write_file_atomically(data_file,
                          [&](std::ostream& data) { write_placements(external.placements, data); });
  });
}

/// Bytes of every tensor, those in attributes included.
std::int64_t tensor_bytes(const Graph& graph) {
  std::int64_t bytes = 0;
  for (const Initializer& initializer : graph.initializers) bytes += bytes_of(*initializer.tensor);
  for (const Node& node : graph.nodes) {
    for (const Attribute& attribute : node.attributes) {
      if (const auto* tensor = std::get_if<Tensor>(&attribute.value)) bytes += bytes_of(*tensor);
      if (const auto* graph_value = std::get_if<std::shared_ptr<const Graph>>(&attribute.value)) {
        bytes += tensor_bytes(**graph_value);
      }
    }
  }
  return bytes;
}

bool passes_limit(const Model& model) {
  // Decides without copying gigabytes.
  if (tensor_bytes(model.graph) > kMaximumProtoBytes) return true;
  const auto drop = [](const Tensor& /*tensor*/, model_io::TensorRole /*role*/,
                       onnx::TensorProto& /*proto*/) {};
  constexpr std::int64_t kBytesPerField = 16;  // tag and length of raw_data, at most
  const auto frame = static_cast<std::int64_t>(model_io::write_model(model, drop).ByteSizeLong());
  const auto fields =
      static_cast<std::int64_t>(model.graph.initializers.size() + model.graph.nodes.size());
  return frame + fields * kBytesPerField + tensor_bytes(model.graph) > kMaximumProtoBytes;
}

}  // namespace

void save_model(const Model& model, const std::filesystem::path& file, const SaveOptions& options) {
  switch (options.external_data) {
    case ExternalData::always:
      save_externally(model, file);
      return;
    case ExternalData::automatic:
      if (passes_limit(model)) {
        save_externally(model, file);
        return;
      }
      break;
    case ExternalData::never:
      break;
  }
  write_file_atomically(file, serialize_model(model));
}

std::string serialize_model(const Model& model) {
  const std::int64_t bytes = tensor_bytes(model.graph);
  if (bytes > kMaximumProtoBytes) {
    throw InvalidInput(fmt::format(
        "save: the model has {} bytes of tensors, but protobuf ends at {}; save it with "
        "external data",
        bytes, kMaximumProtoBytes));
  }
  return serialize(model_io::write_model(model));
}

DetachedModel detach_initializers(const Model& model, std::int64_t minimum_bytes) {
  DetachedModel detached;
  const auto is_detached = [minimum_bytes](const Tensor& tensor) {
    return tensor.type() != DataType::string && !tensor.bytes().empty() &&
           bytes_of(tensor) >= minimum_bytes;
  };
  const auto detach = [&](const Tensor& tensor, model_io::TensorRole role,
                          onnx::TensorProto& proto) {
    if (role == model_io::TensorRole::initializer && is_detached(tensor)) {
      set_external(proto, proto.name(), 0, bytes_of(tensor));
    } else {
      model_io::store_inline(tensor, role, proto);
    }
  };
  detached.proto = serialize(model_io::write_model(model, detach));
  std::ranges::copy_if(
      model.graph.initializers, std::back_inserter(detached.initializers),
      [&](const Initializer& initializer) { return is_detached(*initializer.tensor); });
  return detached;
}

std::int64_t serialized_bytes(const Model& model) {
  if (weight_bytes(model.graph) < kExternalFrom)
    return static_cast<std::int64_t>(serialize_model(model).size());
  const DetachedModel detached = detach_initializers(model, kMinimumExternalBytes);
  auto bytes = static_cast<std::int64_t>(detached.proto.size());
  for (const Initializer& initializer : detached.initializers) {
    bytes += static_cast<std::int64_t>(initializer.tensor->bytes().size());
  }
  return bytes;
}

}  // namespace quantsearch
