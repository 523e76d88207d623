#include <fmt/core.h>
#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>

#include <limits>
#include <optional>

#include "model/external_files.h"
#include "model/proto_read.h"
#include "model/tensor_proto.h"
#include "model/validate.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/model.h"

namespace quantsearch {

namespace {

/// Whether the outermost fields of a protobuf message fill its bytes.
enum class Outline { whole, truncated, malformed };

/// Walks over the fields without parsing them, to tell a truncated file from one of another format.
Outline outline_of(std::span<const std::byte> bytes) {
  // Above every field number of ModelProto and TensorProto, with room for later versions.
  constexpr std::uint32_t kLastField = 32;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  while (stream.CurrentPosition() < static_cast<int>(bytes.size())) {
    const std::uint32_t tag = stream.ReadTag();
    if (tag >> 3 == 0 || tag >> 3 > kLastField) return Outline::malformed;
    std::uint64_t number = 0;
    switch (tag & 7) {
      case 0:
        if (!stream.ReadVarint64(&number)) return Outline::truncated;
        break;
      case 2:
        if (!stream.ReadVarint64(&number)) return Outline::truncated;
        if (number > bytes.size() - static_cast<std::size_t>(stream.CurrentPosition()))
          return Outline::truncated;
        stream.Skip(static_cast<int>(number));
        break;
      default:
        return Outline::malformed;
    }
  }
  return Outline::whole;
}

/// Parses `bytes`. The InvalidInput says whether they are truncated or of another format.
template <typename Message>
Message parse_message(std::span<const std::byte> bytes, const char* kind) {
  if (bytes.empty())
    throw InvalidInput(fmt::format("it is empty, expected {}; copy or export it again", kind));
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw InvalidInput(fmt::format(
        "it has {} bytes, but protobuf ends at 2 GB; save it with external data", bytes.size()));
  }
  Message message;
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return message;
  if (outline_of(bytes) == Outline::truncated) {
    throw InvalidInput(fmt::format(
        "it is truncated after {} bytes, expected the whole of {}; copy or export it again",
        bytes.size(), kind));
  }
  throw InvalidInput(fmt::format("it is not {} (its {} bytes do not parse); export it as ONNX",
                                 kind, bytes.size()));
}

Model read_validated(std::span<const std::byte> bytes, model_io::ExternalFiles& files) {
  auto proto = parse_message<onnx::ModelProto>(bytes, "an ONNX model");
  if (!proto.has_graph() || !proto.has_ir_version()) {
    throw InvalidInput(
        fmt::format("it is not an ONNX model (no {})", proto.has_graph() ? "IR version" : "graph"));
  }
  Model model = model_io::read_model(std::move(proto), files);
  model_io::validate_structure(model);
  return model;
}

/// Runs `body` and puts the stage and `object` before its error messages.
template <typename Body>
auto in_load_stage(const std::string& object, const Body& body) {
  const auto message = [&](const Error& error) {
    return fmt::format("load: {}: {}", object, error.what());
  };
  try {
    return body();
  } catch (const InvalidInput& error) {
    throw InvalidInput(message(error));
  } catch (const Unsupported& error) {
    throw Unsupported(message(error));
  }
}

MappedFile map_for_loading(const std::filesystem::path& file, const char* kind) {
  try {
    return map_file(file);
  } catch (const InvalidInput& error) {
    throw InvalidInput(
        fmt::format("load: {}{}", error.what(),
                    std::filesystem::is_directory(file) ? "" : fmt::format(", expected {}", kind)));
  } catch (const IoError& error) {
    throw IoError(fmt::format("load: {}", error.what()));
  }
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

}  // namespace

Model load_model(const std::filesystem::path& file) {
  const MappedFile map = map_for_loading(file, "an .onnx model");
  model_io::ExternalFiles files(folder_of(file));
  return in_load_stage(fmt::format("model '{}'", file.string()),
                       [&] { return read_validated(map.bytes, files); });
}

Model parse_model(std::span<const std::byte> bytes, const std::filesystem::path& folder) {
  model_io::ExternalFiles files(folder.empty() ? std::nullopt : std::optional(folder));
  return in_load_stage("model in memory", [&] { return read_validated(bytes, files); });
}

NamedTensor load_tensor(const std::filesystem::path& file) {
  const MappedFile map = map_for_loading(file, "a TensorProto (.pb)");
  model_io::ExternalFiles files(folder_of(file));
  return in_load_stage(fmt::format("tensor '{}'", file.string()), [&] {
    auto proto = parse_message<onnx::TensorProto>(map.bytes, "a TensorProto");
    Tensor tensor = model_io::take_tensor(proto, files, fmt::format("tensor '{}'", proto.name()));
    return NamedTensor{.name = proto.name(), .tensor = std::move(tensor)};
  });
}

}  // namespace quantsearch
