#pragma once

// Messages kept as serialized text. What they hide is still needed in two ways: their tensors must
// not point to files beside the old model, and they are written back merged.

#include <google/protobuf/message.h>

#include <string>

#include "model/external_files.h"

namespace quantsearch::model_io {

/// "" for an empty message.
[[nodiscard]] std::string serialize_rest(const google::protobuf::Message& message);
/// Reads text this room wrote itself; throws InternalError when it is not.
void parse_rest(const std::string& bytes, google::protobuf::Message& message);

/// Brings the values of every external tensor inside `message` into it.
void inline_external_tensors(google::protobuf::Message& message, ExternalFiles& files,
                             const std::string& what);

}  // namespace quantsearch::model_io
