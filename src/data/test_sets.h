#pragma once

// Reads folders in the layout of the ONNX backend tests: FOLDER/test_data_set_N/input_I.pb, each a
// TensorProto.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/data.h"

namespace quantsearch {

/// Each `test_data_set_N` is a sample, in the order of N. Its files are matched to inputs by the
/// names of their tensors when all of these are inputs of the model, otherwise by index in the
/// order of the model's required inputs. Files whose tensor is named in `fixed` and is not an input
/// are ignored. Files are read on demand. Throws InvalidInput when there is no such folder or its
/// files are not input_0.pb, input_1.pb, …
[[nodiscard]] std::shared_ptr<const DataSource> test_data_sets(
    const std::filesystem::path& folder, const Model& model,
    const std::vector<std::string>& fixed = {});

}  // namespace quantsearch
