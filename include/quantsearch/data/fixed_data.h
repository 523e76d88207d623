#pragma once

// Data for a model some of whose inputs have become constants. The data may still hold these
// inputs.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/data.h"

namespace quantsearch {

/// open_data() for a model without the inputs `fixed`: arrays and files of these names are ignored.
[[nodiscard]] LoadedData open_data(const std::filesystem::path& path, const Model& model,
                                   const DataOptions& options,
                                   const std::vector<std::string>& fixed);
/// `source` without those of these inputs that it has.
[[nodiscard]] std::shared_ptr<const DataSource> without_inputs(
    std::shared_ptr<const DataSource> source, const std::vector<std::string>& names);

}  // namespace quantsearch
