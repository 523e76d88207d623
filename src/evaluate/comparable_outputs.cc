#include "evaluate/comparable_outputs.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

// From here on weights are saved beside the graph; protobuf ends at 2^31 bytes.
constexpr std::int64_t kExternalFrom = 2'000'000'000;

}  // namespace

bool is_comparable(const ValueInfo& output) {
  // Without a declared type the runtime infers one; what is known not to be a tensor has its type in `extra`.
  if (output.type == DataType::undefined) return output.extra.empty();
  return is_floating(output.type) || is_integer(output.type) || output.type == DataType::boolean;
}

Model without_outputs(Model model, std::span<const std::string> names) {
  std::erase_if(model.graph.outputs, [&](const ValueInfo& output) {
    return std::find(names.begin(), names.end(), output.name) != names.end();
  });
  return model;
}

bool are_rows(const Tensor& output, std::int64_t count) {
  return count == 1 || (!output.shape().empty() && output.shape()[0] == count);
}

void require_rows(const Batch& outputs, std::int64_t count, const std::string& stage) {
  for (const auto& [name, tensor] : outputs) {
    if (!are_rows(tensor, count)) {
      throw InvalidInput(fmt::format("{}: output '{}' has shape {} for a batch of {} samples, expected a first axis of {}; "
                                     "use a batch of 1",
                                     stage, name, to_string(tensor.shape()), count, count));
    }
  }
}

std::int64_t serialized_bytes(const Model& model) {
  if (weight_bytes(model.graph) < kExternalFrom) return static_cast<std::int64_t>(serialize_model(model).size());
  const DetachedModel detached = detach_initializers(model, 1024);
  auto bytes = static_cast<std::int64_t>(detached.proto.size());
  for (const Initializer& initializer : detached.initializers) {
    bytes += static_cast<std::int64_t>(initializer.tensor->bytes().size());
  }
  return bytes;
}

}  // namespace quantsearch
