#include "model/compatible_changes.h"

#include <onnx/defs/schema.h>
#include <onnx/version_converter/convert.h>

namespace quantsearch::model_io {

namespace {

/// Exposes which versions libonnx's version converter declares compatible. Its adapter table is not
/// public.
class CompatibilityList final : public onnx::version_conversion::DefaultVersionConverter {
 public:
  [[nodiscard]] bool contains(const std::string& op_type, std::int64_t version) const {
    const auto by_version = adapters.find(op_type);
    if (by_version == adapters.end()) return false;
    const auto from = by_version->second.find(onnx::OpSetID(version - 1).toString());
    if (from == by_version->second.end()) return false;
    const auto adapter = from->second.find(onnx::OpSetID(version).toString());
    return adapter != from->second.end() &&
           dynamic_cast<const onnx::version_conversion::CompatibleAdapter*>(
               adapter->second.get()) != nullptr;
  }
};

}  // namespace

std::optional<std::int64_t> next_change(const std::string& op_type, std::int64_t from,
                                        std::int64_t to) {
  std::optional<std::int64_t> first;
  std::int64_t version = to;
  while (version > from) {
    const auto* const schema =
        onnx::OpSchemaRegistry::Schema(op_type, static_cast<int>(version), onnx::ONNX_DOMAIN);
    if (schema == nullptr || schema->since_version() <= from) break;
    first = schema->since_version();
    version = *first - 1;
  }
  return first;
}

bool is_operator(const std::string& op_type, std::int64_t opset) {
  return onnx::OpSchemaRegistry::Schema(op_type, static_cast<int>(opset), onnx::ONNX_DOMAIN) !=
         nullptr;
}

bool is_compatible_change(const std::string& op_type, std::int64_t version) {
  static const CompatibilityList kList;  // immutable; building it takes some milliseconds
  // These have a new attribute, layout, whose default is the old meaning. libonnx's adapter only
  // writes the default out.
  const bool is_recurrent = op_type == "GRU" || op_type == "LSTM" || op_type == "RNN";
  if (is_recurrent && version == 14) return true;
  if (op_type == "LpPool" && version == 18) return true;  // the same holds for ceil_mode
  return kList.contains(op_type, version);
}

}  // namespace quantsearch::model_io
