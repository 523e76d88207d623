#pragma once

// Messages that are kept serialized. Their tensors must not refer to files beside the old model, so
// external tensors are brought inline. When the model is written, the messages are merged into it.

#include <google/protobuf/message.h>

#include <string>

#include "model/external_files.h"

namespace quantsearch::model_io {

/// "" for an empty message.
[[nodiscard]] std::string serialize_rest(const google::protobuf::Message& message);
/// Parses what serialize_rest() returned; throws InternalError when it does not parse.
void parse_rest(const std::string& bytes, google::protobuf::Message& message);

/// Replaces every external tensor inside `message` by an inline one.
void inline_external_tensors(google::protobuf::Message& message, ExternalFiles& files,
                             const std::string& what);

}  // namespace quantsearch::model_io
