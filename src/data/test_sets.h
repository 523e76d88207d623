#pragma once

// Folders as the ONNX backend tests have them: FOLDER/test_data_set_N/input_I.pb, each a
// TensorProto.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/data.h"

namespace quantsearch {

/// Each `test_data_set_N` is a sample, in order of N. Its files are taken by the names they carry
/// when all of them are inputs of the model, else by index, in the order of the model's required
/// inputs. Files whose names are in `fixed` and no inputs are passed over. Files are read when
/// asked for. Throws InvalidInput when there is no such folder or its
/// files are not input_0.pb, input_1.pb, …
[[nodiscard]] std::shared_ptr<const DataSource> test_data_sets(
    const std::filesystem::path& folder, const Model& model,
    const std::vector<std::string>& fixed = {});

}  // namespace quantsearch
